import { availableMemory } from 'node:process';

/** Bytes that this process may still take: what `resources.memory` says, else what the system and its limits leave. */
export const memoryLimit = (declared: number | undefined): number => declared ?? availableMemory();
