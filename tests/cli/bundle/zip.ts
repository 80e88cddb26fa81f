import { crc32 } from 'node:zlib';

/** A member of an archive as a test wants it: nothing is checked. */
export interface ZipMember {
  readonly name: string;
  readonly content?: string;
  /** Unix mode with the file's kind; a plain file by default. */
  readonly mode?: number;
  /** The size that the archive announces, if it lies. */
  readonly announced?: number;
}

/** A zip archive of stored members, by the format's specification (APPNOTE.TXT 4.3). */
export function zipOf(members: readonly ZipMember[]): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content = '', mode = 0o100644, announced } of members) {
    const [path, bytes] = [Buffer.from(name), Buffer.from(content)];
    const size = announced ?? bytes.length;
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(0x800, 2);
    fields.writeUInt16LE(0x21, 8);
    fields.writeUInt32LE(crc32(bytes), 10);
    fields.writeUInt32LE(size, 14);
    fields.writeUInt32LE(size, 18);
    fields.writeUInt16LE(path.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fields, path, bytes]);
    const rest = Buffer.alloc(16);
    rest.writeUInt32LE((mode << 16) >>> 0, 8 - 2);
    rest.writeUInt32LE(offset, 12 - 2);
    const head = Buffer.from('PK\x01\x02\x14\x03', 'latin1');
    directory.push(Buffer.concat([head, fields, rest.subarray(0, 14), path]));
    locals.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, central, end]);
}
