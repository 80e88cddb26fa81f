// Generated from onnxruntime_c_api.h by scripts/generate-ort-api.mjs.

/** The table's version, which the library is asked for. */
export const ORT_API_VERSION = 29;

/** Indices in the table. */
export const ortApiIndices = {
  GetErrorMessage: 2,
  CreateEnv: 3,
  CreateSessionFromArray: 8,
  Run: 9,
  CreateSessionOptions: 10,
  EnableProfiling: 14,
  SetSessionLogSeverityLevel: 22,
  SetSessionGraphOptimizationLevel: 23,
  SetIntraOpNumThreads: 24,
  SetInterOpNumThreads: 25,
  CreateTensorWithDataAsOrtValue: 49,
  CreateCpuMemoryInfo: 69,
  ReleaseStatus: 93,
  ReleaseSession: 95,
  ReleaseValue: 96,
  ReleaseSessionOptions: 100,
  AddSessionConfigEntry: 130,
  CreateAndRegisterAllocator: 144,
  AddInitializer: 150,
  CreateArenaCfgV2: 164,
  CreatePrepackedWeightsContainer: 166,
  ReleasePrepackedWeightsContainer: 167,
  CreateSessionFromArrayWithPrepackedWeightsContainer: 169,
} as const;
