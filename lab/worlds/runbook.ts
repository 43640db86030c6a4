/** The runbook of a system beside Payymo with the addresses of the lab. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Document, isMap, isSeq } from 'yaml';
import { LabError } from '../errors.js';
import type { RegionName } from '../layout.js';
import { cleanConfigOf } from '../parts/pgbackrest.js';
import { evidenceBucketOf } from '../parts/s3.js';
import {
  bucketReplacements,
  ownerRunbook,
  type Replacement,
  recordReplacements,
  renewedSecret,
  serverReplacements,
  writeRunbook,
} from '../runbook.js';
import type { LabState } from '../state.js';
import {
  type WorldInLab,
  worldDeployCommand,
  worldEnvironment,
  worldMigrateDownCommand,
  worldStopCommand,
  worldTrialCommand,
} from './parts.js';

/** @throws LabError when the owner's file names what the lab does not have */
export async function writeWorldRunbook(
  state: LabState,
  world: WorldInLab,
  secrets: string,
  outFile: string,
): Promise<void> {
  const known = new Set(await readdir(secrets));
  const { admin, app, deploy, replication } = world.state;
  const inUse = Object.fromEntries(
    Object.entries({ admin, app, deploy, replication }).map(([what, { password }]) => [
      `${world.name}-${what}-password`,
      password,
    ]),
  );
  await writeRunbook(
    {
      title: world.definition.title,
      state,
      replacements: (runbook) => replacements(state, world, runbook),
      secretOf: (name) =>
        renewedSecret(secrets, name, inUse) ??
        inUse[name] ??
        (known.has(name) ? `file:${join(secrets, name)}` : undefined),
    },
    ownerRunbook(world.name),
    outFile,
  );
}

function replacements(state: LabState, world: WorldInLab, runbook: Document): Replacement[] {
  return [
    ...namesIn(runbook, ['objectives', 'dataClasses'])
      .map((name) => ['objectives', 'dataClasses', name, 'acknowledged', 'url'])
      .filter((path) => runbook.hasIn(path))
      .map((path): Replacement => [path, acknowledgedAt(world, runbook.getIn(path))]),
    ...namesIn(runbook, ['sites']).flatMap((name) => siteReplacements(state, world, runbook, name)),
    ...namesIn(runbook, ['backups']).flatMap((name) => backupReplacements(state, world, runbook, name)),
    ...namesIn(runbook, ['dns']).flatMap((name): Replacement[] => [
      ...recordReplacements(state, ['dns', name], {
        name: world.state.dns.record,
        zoneId: world.state.dns.zoneId,
      }),
      ...namesIn(runbook, ['dns', name, 'values']).map(
        (site): Replacement => [['dns', name, 'values', site], [siteOf(world, site).address]],
      ),
    ]),
    ...namesIn(runbook, ['applications']).flatMap((name): Replacement[] => {
      const application = ['applications', name];
      return [
        [[...application, 'url'], world.state.appUrl],
        [[...application, 'trial', 'command'], worldTrialCommand()],
        [[...application, 'trial', 'environment'], worldEnvironment(world)],
        [[...application, 'deploy', 'command'], worldDeployCommand()],
        [[...application, 'deploy', 'environment'], { MUSTER_LAB: state.dir, WORLD_SYSTEM: world.name }],
      ];
    }),
    ...(runbook.hasIn(['scenarios', 'badDeployment', 'migrateDown'])
      ? ([
          [['scenarios', 'badDeployment', 'migrateDown', 'command'], worldMigrateDownCommand()],
          [
            ['scenarios', 'badDeployment', 'migrateDown', 'environment'],
            { MUSTER_LAB: state.dir, WORLD_SYSTEM: world.name },
          ],
        ] satisfies Replacement[])
      : []),
    ...namesIn(runbook, ['objects']).flatMap((name) => filesReplacements(state, world, name)),
    ...(runbook.hasIn(['scenarios', 'breach']) ? breachReplacements(state, world, runbook) : []),
    ...bucketReplacements(['vault'], state.regions.east, state.regions.east.vaultBucket),
    ...(runbook.has('anchor')
      ? bucketReplacements(['anchor'], state.regions.east, state.regions.east.journalBucket)
      : []),
    [['verification', 'jobs'], 2],
  ];
}

/** The client has what was acknowledged under the paths that the owner's gateway has it under. */
function acknowledgedAt({ state }: WorldInLab, url: unknown): string {
  return `${state.clientUrl}${new URL(String(url)).pathname}`;
}

function filesReplacements(
  state: LabState,
  { name: system, definition, state: own }: WorldInLab,
  name: string,
) {
  const { files } = definition;
  if (files?.store !== name) {
    throw new LabError(
      `The runbook of ${system} has files called ${name}, the lab has none.`,
      `Change runbooks/${system}.yaml or lab/worlds/${system}.ts, so that they fit together.`,
    );
  }
  const section = ['objects', name];
  return [
    ...bucketReplacements([...section, 'primary'], state.regions.west, files.buckets.west),
    ...bucketReplacements([...section, 'secondary'], state.regions.east, files.buckets.east),
    [[...section, 'cors', 0, 'origins'], [own.appUrl]] satisfies Replacement,
  ];
}

function breachReplacements(state: LabState, world: WorldInLab, runbook: Document): Replacement[] {
  const breach = ['scenarios', 'breach'];
  const { recovery } = world.state.sites;
  return [
    [[...breach, 'stopApplication', 'command'], worldStopCommand()],
    [[...breach, 'stopApplication', 'environment'], { MUSTER_LAB: state.dir, WORLD_SYSTEM: world.name }],
    ...bucketReplacements([...breach, 'evidence'], state.regions.east, evidenceBucketOf(world.name)),
    ...(recovery !== undefined && runbook.hasIn([...breach, 'backupConfig'])
      ? ([[[...breach, 'backupConfig'], cleanConfigOf(recovery.backupConfig)]] satisfies Replacement[])
      : []),
  ];
}

function siteReplacements(
  state: LabState,
  world: WorldInLab,
  runbook: Document,
  name: string,
): Replacement[] {
  const site = siteOf(world, name);
  const postgres = ['sites', name, 'postgres'];
  const optional: readonly Replacement[] = [
    [['sites', name, 'quarantineDirectory'], world.state.quarantineDir],
    [[...postgres, 'backupConfig'], site.backupConfig],
    [[...postgres, 'replication', 'user'], world.state.replication.user],
  ];
  return [
    ...serverReplacements(state, postgres, site, world.state),
    ...optional.filter(([path]) => runbook.hasIn(path)),
  ];
}

function siteOf({ name: system, state }: WorldInLab, name: string): LabState['ledger']['sites']['west'] {
  const site = state.sites[name];
  if (site !== undefined) return site;
  throw new LabError(
    `The runbook of ${system} has a site ${name}, the lab has none: there are ${Object.keys(state.sites).join(', ')}.`,
    `Change runbooks/${system}.yaml or lab/worlds/${system}.ts, so that they fit together.`,
  );
}

function backupReplacements(
  state: LabState,
  world: WorldInLab,
  runbook: Document,
  name: string,
): Replacement[] {
  const path = ['backups', name];
  const { backup: usual, dumps, bucket } = world.state;
  const driver = runbook.getIn([...path, 'driver']);
  const backup = [usual, dumps].find((each) => each?.driver === driver);
  if (backup === undefined) {
    throw new LabError(
      `The runbook of ${world.name} has a backup ${name} made with ${String(driver)}, the lab makes none so.`,
      `Change runbooks/${world.name}.yaml or lab/worlds/${world.name}.ts, so that they fit together.`,
    );
  }
  if (backup.driver === 'pgbackrest') {
    return [
      [[...path, 'stanza'], backup.stanza],
      [[...path, 'processes'], 2],
    ];
  }
  const copies = runbook.getIn([...path, 'copies']);
  const count = isSeq(copies) ? copies.items.length : 0;
  const each = Array.from({ length: count }, (_, index) => [...path, 'copies', index]);
  return [
    [[...path, 'recipients'], [backup.recipient]],
    [[...path, 'signers'], [backup.signer]],
    ...each.flatMap((copy): Replacement[] =>
      runbook.getIn([...copy, 'driver']) === 'folder'
        ? [[[...copy, 'path'], backup.folder]]
        : bucketReplacements(
            copy,
            state.regions[regionOf(world, runbook.getIn([...copy, 'region']))],
            bucket,
          ),
    ),
  ];
}

function regionOf({ name: system, definition }: WorldInLab, code: unknown): RegionName {
  const found = Object.entries(definition.regions).find(([, each]) => each === code)?.[0];
  if (found !== undefined) return found as RegionName;
  throw new LabError(
    `The runbook of ${system} has a copy in ${String(code)}, which no region of the lab stands for.`,
    `Name the region in lab/worlds/${system}.ts.`,
  );
}

function namesIn(runbook: Document, path: readonly string[]): string[] {
  const section = runbook.getIn(path);
  return isMap(section) ? section.items.map(({ key }) => String(key)) : [];
}
