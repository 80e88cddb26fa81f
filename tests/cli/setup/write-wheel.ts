import { crc32 } from 'node:zlib';

interface Wheel {
  /** As in the names of its files: `nvidia_cublas_cu12`. */
  readonly project: string;
  readonly version: string;
  readonly architecture: string;
  /** Lines of its metadata. */
  readonly requires?: readonly string[];
  readonly files: Readonly<Record<string, string>>;
}

/** The name and the bytes of a wheel that pip accepts. */
export function wheelOf({ project, version, architecture, requires = [], files }: Wheel): [string, Buffer] {
  const tag = `py3-none-manylinux_2_17_${architecture}`;
  const info = `${project}-${version}.dist-info`;
  const metadata = ['Metadata-Version: 2.1', `Name: ${project}`, `Version: ${version}`, ...requires, ''];
  const wheel = ['Wheel-Version: 1.0', 'Root-Is-Purelib: false', `Tag: ${tag}`, ''];
  const described = {
    [`${info}/METADATA`]: metadata.join('\n'),
    [`${info}/WHEEL`]: wheel.join('\n'),
    [`${info}/RECORD`]: '',
  };
  return [`${project}-${version}-${tag}.whl`, zipOf({ ...files, ...described })];
}

/** A zip whose files are stored uncompressed. */
function zipOf(files: Readonly<Record<string, string>>): Buffer {
  const bodies: Buffer[] = [];
  const entries: Buffer[] = [];
  let offset = 0;
  for (const [path, text] of Object.entries(files)) {
    const [name, content] = [Buffer.from(path), Buffer.from(text)];
    const facts = Buffer.alloc(26); // from the version that is needed to the length of what follows the name
    facts.writeUInt16LE(20, 0);
    facts.writeUInt32LE(crc32(content), 10);
    facts.writeUInt32LE(content.length, 14);
    facts.writeUInt32LE(content.length, 18);
    facts.writeUInt16LE(name.length, 22);
    const body = Buffer.concat([Buffer.from('PK\x03\x04'), facts, name, content]);
    const place = Buffer.alloc(14); // comment, disk, attributes, offset
    place.writeUInt32LE(offset, 10);
    entries.push(Buffer.concat([Buffer.from('PK\x01\x02'), Buffer.from([20, 0]), facts, place, name]));
    bodies.push(body);
    offset += body.length;
  }
  const directory = Buffer.concat(entries);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...bodies, directory, end]);
}
