/** What WebGPU computes on. */
export interface Adapter {
  /** Its name and its driver's version. */
  readonly name: string;
  readonly isSoftware: boolean;
  /** The most bytes of one buffer that a computation may read, where the system says so. */
  readonly largestBuffer?: number;
  /** The bytes of its own memory, where the system says so; a processor shares the machine's. */
  readonly memory?: number;
}

/** The systems for which onnxruntime-node contains the WebGPU provider. */
const BUILT = ['darwin-arm64', 'linux-x64', 'win32-arm64', 'win32-x64'];

/**
 * The adapter that WebGPU takes; undefined if there is none, or if the package has no WebGPU or koffi, by which it is called,
 * for this system. Nothing is loaded but the system's own library.
 */
export async function findAdapter(): Promise<Adapter | undefined> {
  if (!isBuilt() || !(await isCallable())) return undefined;
  if (process.platform === 'darwin') return { name: 'Metal', isSoftware: false };
  const devices = await vulkanDevices().catch(() => []);
  const [first] = [...devices].sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
  if (first === undefined) return undefined;
  const { name, kind, driver, largestBuffer, memory } = first;
  return { name: `${name}, driver ${driver}`, isSoftware: kind === 'software', largestBuffer, memory };
}

const isBuilt = (): boolean => BUILT.includes(`${process.platform}-${process.arch}`);

const isCallable = (): Promise<boolean> =>
  import('koffi').then(
    () => true,
    () => false,
  );

/** What keeps WebGPU from finding an adapter, and what to do about it; undefined if there is one. */
export async function webgpuObstacle(
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Readonly<Record<'found' | 'help', string>> | undefined> {
  if (!isBuilt()) {
    const found = `WebGPU is not built for ${process.platform} on ${process.arch}`;
    return { found, help: `it is there for ${BUILT.join(', ')}` };
  }
  if (!(await isCallable()))
    return {
      found: 'the package koffi does not load',
      help: 'WebGPU is called through it: npm install koffi',
    };
  if ((await findAdapter()) !== undefined) return undefined;
  const limited = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES'].find((name) => environment[name]);
  const help =
    limited === undefined
      ? (DRIVER_ADVICE[process.platform] ?? 'install the driver of the GPU')
      : `${limited} is set, so Vulkan looks for drivers only in ${environment[limited]}`;
  return { found: 'no GPU found', help };
}

const DRIVER_ADVICE: Readonly<Record<string, string>> = {
  linux:
    'it needs a Vulkan driver (Debian, Ubuntu: sudo apt install libvulkan1 mesa-vulkan-drivers; NVIDIA: its own driver)',
  win32: "it needs the driver of the GPU's maker",
};

/** The adapter, unless it computes on the processor: onnx does that faster. */
export async function hardwareAdapter(): Promise<Adapter | undefined> {
  const adapter = await findAdapter();
  return adapter?.isSoftware === false ? adapter : undefined;
}

/** The most powerful first. */
const ORDER = ['discrete', 'integrated', 'virtual', 'other', 'software'];

/** A device that Vulkan finds. */
interface VulkanDevice {
  readonly name: string;
  /** `software` computes on the processor. */
  readonly kind: 'discrete' | 'integrated' | 'virtual' | 'software' | 'other';
  /** The driver's number, which only its maker can read. */
  readonly driver: number;
  /** In bytes. */
  readonly largestBuffer: number;
  /** In bytes. */
  readonly memory: number;
}

/** The devices of Vulkan, through which WebGPU computes on Linux; empty where it is not installed. Throws if it fails. */
async function vulkanDevices(): Promise<readonly VulkanDevice[]> {
  const { default: koffi } = await import('koffi');
  const library = await loadVulkan();
  if (library === undefined) return [];
  const P = 'void *';
  const createInstance = library.func('vkCreateInstance', 'int', [P, P, P]);
  const enumerate = library.func('vkEnumeratePhysicalDevices', 'int', [P, P, P]);
  const properties = library.func('vkGetPhysicalDeviceProperties', 'void', [P, P]);
  const memoryProperties = library.func('vkGetPhysicalDeviceMemoryProperties', 'void', [P, P]);
  const destroy = library.func('vkDestroyInstance', 'void', [P, P]);
  const instance = new BigUint64Array(1);
  check('vkCreateInstance', createInstance(instanceInfo(), null, instance));
  try {
    const count = new Uint32Array(1);
    check('vkEnumeratePhysicalDevices', enumerate(instance[0], count, null));
    const devices = new BigUint64Array(Math.max(1, count[0] ?? 0));
    check('vkEnumeratePhysicalDevices', enumerate(instance[0], count, devices));
    return Array.from(devices.subarray(0, count[0]), (device) => {
      const bytes = Buffer.alloc(PROPERTIES_BYTES);
      properties(device, bytes);
      const memory = Buffer.alloc(PROPERTIES_BYTES);
      memoryProperties(device, memory);
      return { ...deviceOf(bytes), memory: localMemory(memory) };
    });
  } finally {
    destroy(instance[0], null);
  }

  async function loadVulkan() {
    try {
      return koffi.load(process.platform === 'win32' ? 'vulkan-1.dll' : 'libvulkan.so.1');
    } catch {
      return undefined;
    }
  }
}

/** VkInstanceCreateInfo: the structure's type and nothing else. */
function instanceInfo(): Buffer {
  const info = Buffer.alloc(64);
  info.writeUInt32LE(1, 0); // VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO
  return info;
}

/** More than VkPhysicalDeviceProperties takes: 824 on 64-bit systems. */
const PROPERTIES_BYTES = 2048;
/** limits.maxStorageBufferRange. */
const LARGEST_BUFFER = 296 + 28;
const KINDS = ['other', 'integrated', 'discrete', 'virtual', 'software'] as const;

/** Of VkPhysicalDeviceProperties: apiVersion, driverVersion, vendorID, deviceID, deviceType, deviceName[256]. */
function deviceOf(properties: Buffer): Omit<VulkanDevice, 'memory'> {
  const name = properties.subarray(20, 20 + 256);
  return {
    name: name.toString('utf8', 0, name.indexOf(0)),
    kind: KINDS[properties.readUInt32LE(16)] ?? 'other',
    driver: properties.readUInt32LE(4),
    largestBuffer: properties.readUInt32LE(LARGEST_BUFFER),
  };
}

const [HEAP_COUNT, HEAPS, HEAP_BYTES, DEVICE_LOCAL] = [260, 264, 16, 1];

/** Of VkPhysicalDeviceMemoryProperties: the largest heap that belongs to the device. */
function localMemory(memory: Buffer): number {
  const heaps = Array.from(
    { length: memory.readUInt32LE(HEAP_COUNT) },
    (_, index) => HEAPS + index * HEAP_BYTES,
  );
  const local = heaps.filter((at) => (memory.readUInt32LE(at + 8) & DEVICE_LOCAL) !== 0);
  return Math.max(0, ...local.map((at) => Number(memory.readBigUInt64LE(at))));
}

function check(name: string, result: number): void {
  if (result !== 0) throw new Error(`Vulkan's ${name} fails with ${result}`);
}
