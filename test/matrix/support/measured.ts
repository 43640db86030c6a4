/** Leaves what a recovery measured for the line of its cell in `.muster/matrix.jsonl`; the reporter writes it. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LossReport } from '../../../activities/contract.js';
import type { Measured } from '../../../setup/matrix-table.mjs';
import type { RunResult } from '../../../src/model/run.js';

/**
 * Called once a recovery is over; a cell that recovers several systems calls it for each.
 * @param cell as the table names it: `corruption payymo`
 */
export function measured(cell: string, result: RunResult): void {
  const file = join(process.env.MUSTER_TEST_RUN ?? '', `${cell}.measured`);
  const before: Measured = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { rto: [], rpo: [] };
  const { rto, rpo: own } = measuredOf(result);
  // Of several systems each names its classes.
  const { system } = result.view;
  const rpo =
    cell.split(' ')[1] === system ? own : own.map((one) => ({ ...one, name: `${system} ${one.name}` }));
  writeFileSync(file, JSON.stringify({ rto: [...before.rto, ...rto], rpo: [...before.rpo, ...rpo] }));
}

/** RTO a component that the run brought back, RPO a data class that it measured. */
export function measuredOf({ view, outputs }: RunResult): Measured {
  const loss = outputs['measure-loss'] as LossReport | undefined;
  return {
    rto: view.components.map(({ name, targetMs, actualMs }) => ({
      system: view.system,
      component: name,
      targetMs,
      actualMs: actualMs ?? null,
    })),
    rpo: Object.entries(loss?.classes ?? {}).map(([name, { targetMs, actualMs, lostRecords }]) => ({
      name,
      targetMs,
      actualMs,
      lostRecords,
    })),
  };
}
