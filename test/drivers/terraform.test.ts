import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { infrastructureCommands } from '../../activities/provision/commands.js';
import { infrastructureActivities, openInfrastructure } from '../../activities/provision/infrastructure.js';
import type { Progress } from '../../src/model/run.js';
import type { Terraform } from '../../src/runbook/schema.js';
import { temporaryFolder } from './support/folder.js';
import { stepOf } from './support/steps.js';

const { planInfrastructure, makeInfrastructure } = infrastructureActivities();
const at = stepOf('run-1', 'practice-hub');
const SECRET = 'S3cret-of-the-provider';

/** Needs no provider and no network. */
const MODULE = `
variable "region" { type = string }
variable "servers" { type = list(string) }
variable "token" { type = string }
resource "terraform_data" "network" { input = var.region }
resource "terraform_data" "server" {
  for_each = toset(var.servers)
  input    = { name = each.key, network = terraform_data.network.id }
}
resource "terraform_data" "vault" { input = var.token }
output "region" { value = terraform_data.network.output }
output "servers" { value = [for one in terraform_data.server : one.output.name] }
output "token" {
  value     = terraform_data.vault.output
  sensitive = true
}
output "leaked" { value = "token is \${var.token}" }
`;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let section: Terraform;

beforeEach(async () => {
  folder = await temporaryFolder('terraform');
  await writeFile(join(folder.path, 'main.tf'), MODULE);
  process.env.MUSTER_TEST_TOKEN = SECRET;
  section = {
    driver: 'terraform',
    title: 'servers at eu-west-1',
    directory: folder.path,
    program: 'terraform',
    variables: { region: 'eu-west-1' },
    secretVariables: { token: 'env:MUSTER_TEST_TOKEN' },
    environment: {},
    destroys: 'refused',
    timeout: 60_000,
  };
});
afterEach(() => folder.remove());

const inputs = { servers: ['app', 'db'] };
const order = () => ({ at, infrastructure: section, inputs });
const state = async () =>
  JSON.parse(await readFile(join(folder.path, 'terraform.tfstate'), 'utf8').catch(() => '{"resources": []}'));
const resources = async (): Promise<string[]> =>
  (await state()).resources.map(({ name }: { name: string }) => name).sort();

test('the plan is shown and makes nothing; it is made with progress, gives its outputs but no secret, and is made once', async () => {
  const shown = await planInfrastructure(order());
  expect(shown.summary).toBe('servers at eu-west-1: 4 to create');
  expect(shown.changes).toContainEqual({ address: 'terraform_data.server["db"]', action: 'create' });
  expect(shown.text).toContain('Plan: 4 to add, 0 to change, 0 to destroy.');
  expect(await resources()).toEqual([]);

  const environment = new MockActivityEnvironment();
  const beats: Progress[] = [];
  environment.on('heartbeat', (progress: Progress) => beats.push(progress));
  const made = await environment.run(makeInfrastructure, { ...order(), shown });
  expect(made).toMatchObject({
    outputs: { region: 'eu-west-1', servers: ['app', 'db'] },
    withheld: ['leaked', 'token'],
    changed: 4,
  });
  expect(beats.at(-1)).toMatchObject({ unit: 'resources' });
  expect(JSON.stringify([shown, made, beats])).not.toContain(SECRET);

  const before = await state();
  expect(await makeInfrastructure({ ...order(), shown })).toMatchObject({
    changed: 0,
    outputs: { region: 'eu-west-1' },
    summary: expect.stringContaining('was there already'),
  });
  expect((await state()).serial).toBe(before.serial);
}, 60_000);

test('what was not shown is not made', async () => {
  const shown = await planInfrastructure(order());
  const more = { ...order(), inputs: { servers: ['app', 'db', 'bastion'] } };
  await expect(makeInfrastructure({ ...more, shown })).rejects.toMatchObject({
    name: 'PermanentError',
    code: 'PlanChanged',
    message: expect.stringContaining('create terraform_data.server["bastion"]'),
  });
  expect(await resources()).toEqual([]);
}, 60_000);

test('what would be removed is refused, and shown where the runbook lets it', async () => {
  await makeInfrastructure({ ...order(), shown: await planInfrastructure(order()) });
  const less = { ...order(), inputs: { servers: ['app'] } };
  const shown = await planInfrastructure(less);
  expect(shown.changes).toEqual([{ address: 'terraform_data.server["db"]', action: 'delete' }]);
  await expect(makeInfrastructure({ ...less, shown })).rejects.toMatchObject({
    code: 'PlanDestroys',
    message: expect.stringContaining('delete terraform_data.server["db"]'),
  });
  expect(await resources()).toEqual(['network', 'server', 'vault']);
  const allowed = { ...less, infrastructure: { ...section, destroys: 'shown' as const } };
  expect(await makeInfrastructure({ ...allowed, shown })).toMatchObject({ changed: 1 });
}, 60_000);

test('one that fails halfway says why, and is gone on with from there', async () => {
  const broken = join(folder.path, 'broken.tf');
  const lift = (command: string) =>
    writeFile(
      broken,
      `resource "terraform_data" "lift" {
  depends_on = [terraform_data.network, terraform_data.server, terraform_data.vault]
  provisioner "local-exec" { command = "${command}" }
}`,
    );
  await lift(['echo no capacity for $', '{var.token} >&2; exit 3'].join(''));
  const shown = await planInfrastructure(order());
  const failure = makeInfrastructure({ ...order(), shown });
  await expect(failure).rejects.toMatchObject({
    name: 'PermanentError',
    code: 'TerraformFailed',
    message: expect.stringMatching(/apply failed\. local-exec provisioner error.*exit status 3/),
    next: expect.stringContaining('it makes the rest'),
  });
  expect(String(await failure.catch(String))).not.toContain(SECRET);
  expect(await resources()).toContain('network');
  await lift('true');
  const again = await planInfrastructure(order());
  expect(again.changes).toEqual([{ address: 'terraform_data.lift', action: 'replace' }]);
  // What is half made and was shown as new is made again; taken for something of value otherwise.
  await expect(makeInfrastructure({ ...order(), shown: again })).rejects.toMatchObject({
    code: 'PlanDestroys',
  });
  expect(await makeInfrastructure({ ...order(), shown })).toMatchObject({ changed: 1 });
}, 60_000);

test('a run that is called off ends it in order: what was made is in its state', async () => {
  await writeFile(
    join(folder.path, 'slow.tf'),
    `resource "terraform_data" "slow" {
  depends_on = [terraform_data.network]
  provisioner "local-exec" { command = "sleep 60" }
}`,
  );
  const shown = await planInfrastructure(order());
  const environment = new MockActivityEnvironment();
  environment.on('heartbeat', ({ text }: Progress) => {
    if (text.includes('terraform_data.slow')) environment.cancel();
  });
  const begun = Date.now();
  await expect(environment.run(makeInfrastructure, { ...order(), shown })).rejects.toMatchObject({
    name: 'CancelledFailure',
  });
  expect(Date.now() - begun).toBeLessThan(30_000);
  expect(await resources()).toContain('network');
}, 60_000);

test('bad modules, missing programs and drills are told apart, and make nothing', async () => {
  const without = { ...order(), infrastructure: { ...section, variables: {} } };
  await expect(planInfrastructure(without)).rejects.toMatchObject({
    code: 'TerraformFailed',
    message: expect.stringContaining('No value for required variable'),
  });
  const missing = { ...section, program: join(folder.path, 'tofu') };
  await expect(planInfrastructure({ ...order(), infrastructure: missing })).rejects.toMatchObject({
    code: 'ToolMissing',
  });
  const drill = { ...order(), at: { ...at, mode: 'drill' as const }, shown: { changes: [] } };
  await expect(makeInfrastructure(drill)).rejects.toMatchObject({ code: 'DrillForbidden' });
}, 60_000);

test('another program that takes the same commands does as well; a look whether it could be done makes nothing', async () => {
  const tofu = join(folder.path, 'tofu');
  await writeFile(tofu, '#!/bin/sh\necho "$1" >> called\nexec terraform "$@"\n', { mode: 0o755 });
  const infrastructure = { ...section, program: tofu };
  expect(await openInfrastructure(at, infrastructure, inputs).ready()).toEqual({
    summary: expect.stringMatching(/^servers at eu-west-1: Terraform v1\..*, 4 to create$/),
  });
  expect(await readFile(join(folder.path, 'called'), 'utf8')).toBe('init\nplan\nversion\n');
  expect(await resources()).toEqual([]);
}, 60_000);

test('the printed commands name the secret by its reference', () => {
  const printed = infrastructureCommands({ infrastructure: section });
  expect(printed.map(({ command }) => command)).toContain('terraform apply -input=false recovery.plan');
  expect(JSON.stringify(printed)).toContain('TF_VAR_token from env:MUSTER_TEST_TOKEN');
});
