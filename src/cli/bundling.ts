/** `muster bundle`: what is put into a bundle, whether one is what was signed, and how it is opened. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type BundleFiles, packFiles, unpackFiles } from '../bundle/archive.js';
import { backupsPage, guidePage, rosterPage, secretsPage } from '../bundle/guide.js';
import { type Need, needsOf } from '../bundle/needs.js';
import { checkSeal, type SealVerdict, sealFiles } from '../bundle/seal.js';
import { InputError, messageOf } from '../errors.js';
import { signingKey } from '../evidence/key.js';
import { loadSystem } from '../runbook/load.js';
import { resolveSecretIn } from '../secrets.js';
import type { CliContext } from './context.js';
import { requirePlan, scenariosOf } from './planning.js';
import { renderPlanMarkdown } from './render/plan-markdown.js';

export const BUNDLE_FORMAT = 'muster-bundle/1';

/** What a bundle says of itself: `bundle.json`. */
export interface BundleHead {
  readonly format: typeof BUNDLE_FORMAT;
  readonly system: string;
  /** ISO 8601. */
  readonly writtenAt: string;
  readonly muster: { readonly version: string; readonly node: string; readonly source: string | null };
  readonly plans: readonly { readonly scenario: string; readonly planHash: string }[];
}

export interface WrittenBundle extends BundleHead {
  readonly file: string;
  readonly bytes: number;
  readonly fingerprint: string;
  readonly secrets: readonly Need[];
}

const OLDEST_NODE = '20.3';

/**
 * Writes the bundle of a system.
 *
 * @param options `to`: the file; `source`: where Muster is had from, for people
 * @throws InputError when the runbook is not in order, a plan cannot hold its RTO, or the file is there already
 */
export async function writeBundle(
  context: CliContext,
  system: string,
  options: { readonly to?: string; readonly source?: string },
): Promise<WrittenBundle> {
  const { env, cwd, version } = context.world;
  const loaded = await loadSystem((await context.runbooks()).dir, system);
  const { runbook } = loaded;
  const scenarios = await scenariosOf(loaded);
  const plans = await Promise.all(
    scenarios.map(async (scenario) => ({ scenario, ...(await requirePlan(loaded, scenario)) })),
  );
  const writtenAt = new Date().toISOString();
  const file = resolve(cwd, options.to ?? `${system}-${writtenAt.slice(0, 10)}.muster.tar.gz`);
  const key = await signingKey(env as NodeJS.ProcessEnv);
  const needs = needsOf(runbook);
  const source = options.source ?? env.MUSTER_SOURCE;
  const head: BundleHead = {
    format: BUNDLE_FORMAT,
    system,
    writtenAt,
    muster: { version, node: OLDEST_NODE, source: source ?? null },
    plans: plans.map(({ scenario, hash }) => ({ scenario, planHash: hash })),
  };
  const { fingerprint } = key;
  const texts: [string, string][] = [
    ['bundle.json', json(head)],
    [
      'README.md',
      guidePage({ runbook, scenarios, version, node: OLDEST_NODE, source, fingerprint, writtenAt }),
    ],
    [`runbooks/${system}.yaml`, await readFile(loaded.file, 'utf8')],
    ...plans.flatMap((plan): [string, string][] => [
      [`plans/${plan.scenario}.json`, json({ planHash: plan.hash, plan: plan.document })],
      [`printed/${plan.scenario}.md`, renderPlanMarkdown({ ...plan, runbook })],
    ]),
    ['ROSTER.md', rosterPage(runbook)],
    ['BACKUPS.md', backupsPage(runbook)],
    ['SECRETS.md', secretsPage(needs, system)],
  ];
  const files = sealFiles(new Map(texts.map(([name, text]) => [name, Buffer.from(text)])), key);
  const archive = await packFiles(files);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, archive, { flag: 'wx', mode: 0o644 }).catch((error: NodeJS.ErrnoException) => {
    const given = error.code === 'EEXIST' ? `${file}, which is there already` : messageOf(error);
    throw new InputError('The bundle cannot be written.', [
      { field: '--to', given, allowed: 'a file that does not exist yet' },
    ]);
  });
  return { ...head, file, bytes: archive.length, fingerprint, secrets: needs.secrets };
}

export interface BundleVerdict extends SealVerdict {
  readonly file: string;
  /** null: it does not say what it is. */
  readonly bundle: BundleHead | null;
}

/** @throws InputError when there is no such file, or no key to check it with */
export async function verifyBundle(
  context: CliContext,
  path: string,
  keyPath: string | undefined,
): Promise<{ readonly verdict: BundleVerdict; readonly files: BundleFiles }> {
  const file = resolve(context.world.cwd, path);
  const archive = await readFile(file).catch((error) => {
    throw new InputError('There is no bundle to look at.', [
      { field: '<file>', given: messageOf(error), allowed: 'a file that muster bundle wrote' },
    ]);
  });
  const key = keyPath === undefined ? undefined : await readKey(resolve(context.world.cwd, keyPath));
  let files: BundleFiles;
  try {
    files = await unpackFiles(archive);
  } catch (error) {
    const verdict = { ok: false, problems: [messageOf(error)], cautions: [], fingerprint: '' };
    return { verdict: { ...verdict, file, bundle: null }, files: new Map() };
  }
  const seal = checkSeal(files, key);
  const bundle = headOf(files);
  const problems = [
    ...seal.problems,
    ...(bundle === null ? [`It is no bundle of the form ${BUNDLE_FORMAT}.`] : []),
  ];
  return { verdict: { ...seal, ok: problems.length === 0, problems, file, bundle }, files };
}

export interface OpenedBundle {
  readonly folder: string;
  readonly bundle: BundleHead;
  readonly cautions: readonly string[];
  /** References that are not to be found on this machine yet. */
  readonly toFill: readonly Need[];
}

/**
 * Unpacks a bundle that is what was signed.
 * @throws InputError when it is not, or the folder holds something
 */
export async function openBundle(
  context: CliContext,
  path: string,
  to: string,
  keyPath: string | undefined,
): Promise<OpenedBundle> {
  const { verdict, files } = await verifyBundle(context, path, keyPath);
  const { bundle } = verdict;
  if (!verdict.ok || bundle === null) {
    throw new InputError('The bundle is not what was signed. Nothing was unpacked.', [
      { field: '<file>', given: verdict.problems.join(' '), allowed: 'a bundle as muster bundle wrote it' },
    ]);
  }
  const { cwd, env } = context.world;
  const folder = resolve(cwd, to);
  if (existsSync(folder) && (await readdir(folder)).length > 0) {
    throw new InputError('The bundle is not unpacked over other files.', [
      { field: '<folder>', given: folder, allowed: 'a folder that is empty or does not exist' },
    ]);
  }
  for (const [name, contents] of files) {
    await mkdir(dirname(join(folder, name)), { recursive: true, mode: 0o750 });
    await writeFile(join(folder, name), contents, { mode: 0o640 });
  }
  const { runbook } = await loadSystem(join(folder, 'runbooks'), bundle.system);
  const { secrets, files: configuration } = needsOf(runbook);
  const missing = await Promise.all(
    secrets.map((need) =>
      resolveSecretIn(env, need.reference).then(
        () => [],
        () => [need],
      ),
    ),
  );
  const toFill = [...missing.flat(), ...configuration.filter(({ reference }) => !existsSync(reference))];
  return { folder, bundle, cautions: verdict.cautions, toFill };
}

async function readKey(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error) => {
    throw new InputError('The key cannot be used.', [
      { field: '--key', given: messageOf(error), allowed: 'a file with the Ed25519 public key in PEM' },
    ]);
  });
}

function headOf(files: BundleFiles): BundleHead | null {
  try {
    const head = JSON.parse(files.get('bundle.json')?.toString('utf8') ?? '') as Partial<BundleHead> | null;
    const whole =
      head?.format === BUNDLE_FORMAT && typeof head.system === 'string' && Array.isArray(head.plans);
    return whole ? (head as BundleHead) : null;
  } catch {
    return null;
  }
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
