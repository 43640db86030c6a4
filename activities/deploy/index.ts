/** A release of an application put into service at a site. */
import { PermanentError } from '../../src/errors.js';
import type { Application, OwnersCommand } from '../../src/runbook/schema.js';
import { runOwnersCommand } from '../command/run.js';
import type { Deployed, MusterActivities } from '../contract.js';
import { requireReal } from '../production.js';

type Input = Parameters<MusterActivities['deployApplication']>[0];

const drivers: Readonly<
  Record<OwnersCommand['driver'], (section: OwnersCommand, input: Input) => Promise<Deployed>>
> = { command: deployByCommand };

export function deployActivities(): Pick<MusterActivities, 'deployApplication'> {
  return {
    async deployApplication(input) {
      const { at, application, site } = input;
      requireReal(at, `deploy ${application.component} at ${site}`);
      const section = requireDeploy(application);
      return drivers[section.driver](section, input);
    },
  };
}

async function deployByCommand(section: OwnersCommand, input: Input): Promise<Deployed> {
  const { at, application, site, release, inputs = {} } = input;
  const outputs = await runOwnersCommand(
    at,
    `applications, deploy of ${application.component}`,
    section,
    { site, release, inputs },
    { MUSTER_SITE: site, ...(release === undefined ? {} : { MUSTER_RELEASE: release }) },
  );
  const what =
    release === undefined ? application.component : `${application.component}, release ${release},`;
  return { outputs, summary: `${what} deployed at ${site}` };
}

/** @throws PermanentError `NoDeploy` */
function requireDeploy({ component, deploy }: Application): OwnersCommand {
  if (deploy !== undefined) return deploy;
  throw new PermanentError('NoDeploy', `The runbook does not say how ${component} is deployed.`, {
    next: 'Say it (applications.<name>.deploy), or deploy it by hand and skip the step.',
  });
}
