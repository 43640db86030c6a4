import type { PrintedCommand } from '../../src/model/plan.js';
import type { Application } from '../../src/runbook/schema.js';

/** How a release is put into service by hand. */
export function deployCommands({
  application: { component, deploy },
  site,
  release,
}: {
  readonly application: Application;
  readonly site: string;
  readonly release?: string;
}): readonly PrintedCommand[] {
  if (deploy === undefined) return [];
  const told = [`MUSTER_SITE=${site}`, ...(release === undefined ? [] : [`MUSTER_RELEASE=${release}`])];
  return [
    {
      where: `where the worker runs, in ${deploy.directory}`,
      command: `${told.join(' ')} ${deploy.command.join(' ')} < /dev/null`,
      note: `With the environment of applications, deploy of ${component}.`,
    },
  ];
}
