/** A C function's result, then its parameters, in koffi's words. */
type Signature = readonly [result: string, ...parameters: readonly string[]];

const STATUS = 'void *';

/** The functions of ONNX Runtime's C API that are called, by their names in onnxruntime_c_api.h. */
export const ortSignatures = {
  GetErrorMessage: ['const char *', 'void *'],
  CreateEnv: [STATUS, 'int', 'const char *', 'void *'],
  CreateSessionFromArray: [STATUS, 'void *', 'void *', 'size_t', 'void *', 'void *'],
  Run: [STATUS, 'void *', 'void *', 'void *', 'void *', 'size_t', 'void *', 'size_t', 'void *'],
  CreateSessionOptions: [STATUS, 'void *'],
  EnableProfiling: [STATUS, 'void *', 'const char *'],
  SetSessionLogSeverityLevel: [STATUS, 'void *', 'int'],
  SetSessionGraphOptimizationLevel: [STATUS, 'void *', 'int'],
  SetIntraOpNumThreads: [STATUS, 'void *', 'int'],
  SetInterOpNumThreads: [STATUS, 'void *', 'int'],
  CreateTensorWithDataAsOrtValue: [STATUS, 'void *', 'void *', 'size_t', 'void *', 'size_t', 'int', 'void *'],
  CreateCpuMemoryInfo: [STATUS, 'int', 'int', 'void *'],
  ReleaseStatus: ['void', 'void *'],
  ReleaseSession: ['void', 'void *'],
  ReleaseValue: ['void', 'void *'],
  ReleaseSessionOptions: ['void', 'void *'],
  AddSessionConfigEntry: [STATUS, 'void *', 'const char *', 'const char *'],
  CreateAndRegisterAllocator: [STATUS, 'void *', 'void *', 'void *'],
  AddInitializer: [STATUS, 'void *', 'const char *', 'void *'],
  CreateArenaCfgV2: [STATUS, 'void *', 'void *', 'size_t', 'void *'],
  CreatePrepackedWeightsContainer: [STATUS, 'void *'],
  ReleasePrepackedWeightsContainer: ['void', 'void *'],
  CreateSessionFromArrayWithPrepackedWeightsContainer: [
    STATUS,
    ...['void *', 'void *', 'size_t', 'void *', 'void *', 'void *'],
  ],
} as const satisfies Readonly<Record<string, Signature>>;

export type OrtFunction = keyof typeof ortSignatures;
