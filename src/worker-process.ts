/** How a worker's process is started, so that 200 waiting runs take it little memory. Measured: see docs/benchmarks.md. */

/** A worker is idle most of its life: a small nursery for new objects costs it nothing. */
export const WORKER_NODE_OPTIONS = ['--enable-source-maps', '--max-semi-space-size=4'] as const;

/** Temporal's core works in many threads: glibc keeps what each has freed for itself, unless few arenas are shared (mallopt(3)). */
export const WORKER_ENV = { MALLOC_ARENA_MAX: '2' } as const;

/** Runs whose state is kept in memory; others are brought back from Temporal's history when somebody decides. */
export const CACHED_RUNS = 60;
