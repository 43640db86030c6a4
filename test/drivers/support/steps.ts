import type { RecoveryPoint, StepRef } from '../../../activities/contract.js';

export function stepOf(runId: string, system = 'payymo', step = 'step'): StepRef {
  return { runId, system, scenario: 'corruption', mode: 'real', step };
}

/** A recovery point of which only the moment and the server matter. */
export function pointAt(
  generation: { readonly systemIdentifier: string; readonly timeline: number },
  time: string,
): RecoveryPoint {
  return {
    ...generation,
    time,
    asked: time,
    backup: {
      label: '20261121-013000F',
      repository: 1,
      type: 'full',
      stoppedAt: time,
      databaseBytes: 1,
      walStart: '000000010000000000000001',
    },
    usableRepositories: [1],
    walSegments: 1,
    walEnd: '000000010000000000000001',
    loses: {},
    summary: 'a point',
  };
}
