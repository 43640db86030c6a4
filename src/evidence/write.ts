/** Writes a report with its signatures into a folder. */
import { createHash, type KeyObject, sign } from 'node:crypto';
import { mkdir, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { REPORT_FILES, type ReportContent, reportKinds } from '../store/reports.js';
import type { ReportDocument } from './document.js';
import { renderHtml } from './html/render.js';
import type { SigningKey } from './key.js';

export interface WrittenReport {
  readonly directory: string;
  /** SHA-256 of `report.json`, hexadecimal; the page holds it too. */
  readonly sha256: string;
}

/**
 * The files of a report. The JSON and the page are signed each by itself: the page names the SHA-256 of the JSON, so it
 * cannot also be named by it. A signature is the 64 raw bytes of Ed25519 over the bytes of its file.
 */
export function reportContent(report: ReportDocument, key: SigningKey): ReportContent {
  const json = Buffer.from(`${JSON.stringify(report, null, 2)}\n`);
  const html = Buffer.from(renderHtml(report, sha256(json)));
  return {
    json,
    signature: signatureOf(json, key.privateKey),
    html,
    'html-signature': signatureOf(html, key.privateKey),
    'public-key': Buffer.from(key.publicKeyPem),
  };
}

/** Writes the files so that each is there whole or not at all. */
export async function writeReportFiles(directory: string, content: ReportContent): Promise<WrittenReport> {
  await mkdir(directory, { recursive: true, mode: 0o750 });
  for (const kind of reportKinds) await writeWhole(join(directory, REPORT_FILES[kind]), content[kind]);
  return { directory, sha256: sha256(content.json) };
}

function signatureOf(bytes: Buffer, key: KeyObject): Buffer {
  return sign(null, bytes, key);
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function writeWhole(path: string, bytes: Buffer): Promise<void> {
  const fresh = `${path}.${process.pid}.new`;
  const file = await open(fresh, 'w', 0o640);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(fresh, path);
}
