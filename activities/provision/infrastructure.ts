import type { Infrastructure } from '../../src/runbook/schema.js';
import type { MusterActivities, Outputs, StepRef } from '../contract.js';
import { requireReal } from '../production.js';
import { openCommand } from './command.js';
import type { InfrastructureDriver, OpenInfrastructure } from './driver.js';
import { openTerraform } from './terraform.js';

type Drivers = {
  readonly [D in Infrastructure['driver']]: OpenInfrastructure<Extract<Infrastructure, { driver: D }>>;
};

const drivers: Drivers = { terraform: openTerraform, command: openCommand };

/** What a system needs at another site: shown, then made. */
export function infrastructureActivities(): Pick<
  MusterActivities,
  'planInfrastructure' | 'makeInfrastructure'
> {
  return {
    planInfrastructure: ({ at, infrastructure, inputs = {} }) =>
      openInfrastructure(at, infrastructure, inputs).plan(),
    async makeInfrastructure({ at, infrastructure, inputs = {}, shown }) {
      requireReal(at, `make ${infrastructure.title}`);
      return openInfrastructure(at, infrastructure, inputs).make(shown);
    },
  };
}

export function openInfrastructure(
  at: StepRef,
  infrastructure: Infrastructure,
  inputs: Outputs,
): InfrastructureDriver {
  // The name of the driver and the section that it takes belong together.
  const open = drivers[infrastructure.driver] as OpenInfrastructure<Infrastructure>;
  return open(at, infrastructure, inputs);
}
