/** Whether drivers could do their work now, asked before the day on which they have to. */
import { MusterError, messageOf } from '../src/errors.js';
import { activitySignal } from './context.js';
import type { MusterActivities, Readiness } from './contract.js';
import { dnsReadiness } from './dns/index.js';
import { objectsReadiness } from './objects/index.js';
import { openInfrastructure } from './provision/infrastructure.js';

type Check = Readiness['checks'][number];

export const checkReadiness: MusterActivities['checkReadiness'] = async ({
  at,
  dns,
  objects,
  infrastructure,
}) => {
  const looks = [
    ...Object.entries(dns).map(([name, record]) => look(`dns.${name}`, () => dnsReadiness(record))),
    ...Object.entries(objects).map(([name, store]) => look(`objects.${name}`, () => objectsReadiness(store))),
    ...Object.entries(infrastructure).map(([name, section]) =>
      look(`infrastructure.${name}`, async () => (await openInfrastructure(at, section, {}).ready()).summary),
    ),
  ];
  const checks = await Promise.all(looks);
  const waiting = checks.filter(({ ready }) => !ready).map(({ section }) => section);
  return {
    ready: waiting.length === 0,
    checks,
    summary: waiting.length === 0 ? `all ${checks.length} are ready` : `not ready: ${waiting.join(', ')}`,
  };
};

async function look(section: string, ask: () => Promise<string>): Promise<Check> {
  try {
    return { section, ready: true, says: await ask() };
  } catch (error) {
    activitySignal().throwIfAborted();
    const next = error instanceof MusterError ? { next: error.next } : {};
    return { section, ready: false, says: messageOf(error), ...next };
  }
}
