/** Checks a report as it lies on disk: signatures, hashes, and that the page belongs to the JSON. */
import { createHash, type KeyObject, verify } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { InputError } from '../errors.js';
import { REPORT_FILES } from '../store/reports.js';
import { planSha256 } from './build.js';
import { REPORT_FORMAT, type ReportDocument } from './document.js';
import { fingerprintOf, readPublicKey } from './key.js';

export interface CheckedFile {
  readonly name: string;
  readonly intact: boolean;
  /** What was found, as one sentence. */
  readonly text: string;
}

export interface ReportVerdict {
  readonly ok: boolean;
  /** Where the files lie. */
  readonly directory: string;
  readonly files: readonly CheckedFile[];
  /** What is wrong beside a file's own signature. */
  readonly problems: readonly string[];
  /** What the verdict rests on and does not prove. */
  readonly cautions: readonly string[];
  readonly key: {
    /** SHA-256 of its DER form, hexadecimal. */
    readonly fingerprint: string;
    /** `given`: had from elsewhere; `beside`: the copy that lies with the report. */
    readonly from: 'given' | 'beside';
  };
  /** What the report is of, when its JSON could be read. */
  readonly report?: Pick<ReportDocument, 'id' | 'system' | 'scenario' | 'status' | 'writtenAt'>;
}

/**
 * @param path the folder of a report, or its `report.json` or `report.html` alone
 * @param keyPath PEM file with the public key as it was had from elsewhere; without it the copy beside the report is used,
 *   which proves that nothing was changed since, not who signed
 * @throws InputError when there is nothing to check or no key to check it with
 */
export async function verifyReport(path: string, keyPath?: string): Promise<ReportVerdict> {
  const { directory, names } = await whatToCheck(path);
  const { key, beside } = await whichKey(directory, keyPath);
  const fingerprint = fingerprintOf(key);
  const files = await Promise.all(names.map((name) => checkFile(directory, name, key)));
  const problems: string[] = [];
  const json = await read(join(directory, REPORT_FILES.json));
  const report = json === undefined ? undefined : parseReport(json);
  if (json !== undefined && report === undefined) {
    problems.push(`${REPORT_FILES.json} is not a report of the form ${REPORT_FORMAT}.`);
  }
  if (names.includes(REPORT_FILES.html)) problems.push(...(await pageProblems(directory, json)));
  if (report !== undefined) problems.push(...contentProblems(report, fingerprint));
  if (beside !== undefined && fingerprintOf(beside) !== fingerprint) {
    problems.push(
      `The key beside the report (${fingerprintOf(beside)}) is not the one you gave: someone else may have signed it.`,
    );
  }
  return {
    ok: problems.length === 0 && files.every(({ intact }) => intact),
    directory,
    files,
    problems,
    cautions:
      keyPath !== undefined
        ? []
        : [
            `Checked with the key that lies beside the report: that shows that nothing was changed since it was signed, not who signed. Compare the fingerprint ${fingerprint} with one you have from elsewhere, or give that key with --key.`,
          ],
    key: { fingerprint, from: keyPath === undefined ? 'beside' : 'given' },
    ...(report === undefined ? {} : { report: head(report) }),
  };
}

async function whatToCheck(path: string): Promise<{ directory: string; names: string[] }> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw nothingAt(path, 'nothing is there');
  if (!found.isDirectory()) {
    const name = basename(path);
    if (name !== REPORT_FILES.json && name !== REPORT_FILES.html)
      throw nothingAt(path, 'a file of another name');
    return { directory: dirname(path), names: [name] };
  }
  const wanted = [REPORT_FILES.json, REPORT_FILES.html];
  const present = await Promise.all(wanted.map((name) => read(join(path, name))));
  if (present.every((bytes) => bytes === undefined)) throw nothingAt(path, 'a folder without a report');
  return { directory: path, names: wanted };
}

async function whichKey(
  directory: string,
  keyPath: string | undefined,
): Promise<{ key: KeyObject; beside: KeyObject | undefined }> {
  const pem = await read(join(directory, REPORT_FILES['public-key']));
  const beside = pem === undefined ? undefined : readPublicKey(pem);
  if (keyPath === undefined) {
    if (beside !== undefined) return { key: beside, beside };
    throw new InputError(`There is no key to check the report with.`, [
      {
        field: '--key',
        given:
          pem === undefined
            ? 'nothing, and no report.pub.pem lies beside the report'
            : 'a report.pub.pem that is no key',
        allowed: 'a file with the Ed25519 public key in PEM',
      },
    ]);
  }
  const given = await read(keyPath);
  const key = given === undefined ? undefined : readPublicKey(given);
  if (key === undefined) {
    throw new InputError('The key cannot be used.', [
      { field: '--key', given: keyPath, allowed: 'a file with the Ed25519 public key in PEM' },
    ]);
  }
  return { key, beside };
}

async function checkFile(directory: string, name: string, key: KeyObject): Promise<CheckedFile> {
  const bytes = await read(join(directory, name));
  if (bytes === undefined) return { name, intact: false, text: `${name} is missing.` };
  const signature = await read(join(directory, `${name}.sig`));
  if (signature === undefined) {
    return { name, intact: false, text: `${name} has no signature: ${name}.sig is missing.` };
  }
  if (signature.length !== 64) {
    return { name, intact: false, text: `${name}.sig has ${signature.length} bytes; a signature has 64.` };
  }
  if (!verify(null, bytes, key, signature)) {
    return {
      name,
      intact: false,
      text: `${name} is not what was signed with this key: it or its signature was altered, or another key signed it.`,
    };
  }
  return { name, intact: true, text: `${name} is as it was signed.` };
}

async function pageProblems(directory: string, json: Buffer | undefined): Promise<string[]> {
  const html = await read(join(directory, REPORT_FILES.html));
  if (html === undefined || json === undefined) return [];
  const named = /<meta name="muster-report-sha256" content="([0-9a-f]{64})">/.exec(
    html.toString('utf8'),
  )?.[1];
  const actual = createHash('sha256').update(json).digest('hex');
  if (named === actual) return [];
  return [
    `report.html was made from another report.json: it names SHA-256 ${named ?? 'nothing'}, this one has ${actual}.`,
  ];
}

function contentProblems(report: ReportDocument, fingerprint: string): string[] {
  const problems: string[] = [];
  const plan = planSha256(report.plan.document);
  if (plan !== report.plan.sha256) {
    problems.push(
      `The plan in the report has SHA-256 ${plan}, not ${report.plan.sha256} for which approvals were given.`,
    );
  }
  if (report.signing.publicKeySha256 !== fingerprint) {
    problems.push(
      `The report says that it is signed with key ${report.signing.publicKeySha256}, not with this one.`,
    );
  }
  return problems;
}

function parseReport(json: Buffer): ReportDocument | undefined {
  try {
    const value = JSON.parse(json.toString('utf8')) as Partial<ReportDocument> | null;
    const whole =
      value?.format === REPORT_FORMAT && value.plan?.document !== undefined && value.signing !== undefined;
    return whole ? (value as ReportDocument) : undefined;
  } catch {
    return undefined;
  }
}

function head({ id, system, scenario, status, writtenAt }: ReportDocument) {
  return { id, system, scenario, status, writtenAt };
}

async function read(path: string): Promise<Buffer | undefined> {
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
}

function nothingAt(path: string, given: string): InputError {
  return new InputError('There is no report to verify.', [
    { field: path, given, allowed: 'the folder of a report, or its report.json or report.html' },
  ]);
}
