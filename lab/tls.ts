import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './process.js';

/** Files of the lab's own certificate authority and of the one certificate that its servers show. */
export interface TlsFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Names of the files in the lab's `tls` folder. */
export function tlsFiles(folder: string): TlsFiles {
  return {
    ca: join(folder, 'ca.pem'),
    cert: join(folder, 'server.pem'),
    key: join(folder, 'server-key.pem'),
  };
}

const EXTENSIONS = `[server]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost, IP:127.0.0.1
`;

/**
 * Makes a certificate authority for this lab alone and a server certificate for `localhost`: pgBackRest checks a certificate
 * by DNS name only. The authority's key is thrown away, so that nothing else can ever be signed with it.
 */
export async function makeCertificates(folder: string, openssl: string): Promise<TlsFiles> {
  await mkdir(folder, { recursive: true, mode: 0o755 });
  const files = tlsFiles(folder);
  const caKey = join(folder, 'ca-key.pem');
  const request = join(folder, 'request.pem');
  const extensions = join(folder, 'extensions.cnf');
  await writeFile(extensions, EXTENSIONS);
  const ssl = (...args: string[]) => run(openssl, args, { cwd: folder, timeoutMs: 20_000 });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  try {
    await ssl(
      ...['req', '-x509', ...newKey, '-keyout', caKey, '-out', files.ca, '-days', '3650'],
      ...['-subj', '/CN=Muster lab CA'],
    );
    await ssl('req', ...newKey, '-keyout', files.key, '-out', request, '-subj', '/CN=localhost');
    await ssl(
      ...[
        'x509',
        '-req',
        '-in',
        request,
        '-CA',
        files.ca,
        '-CAkey',
        caKey,
        '-CAcreateserial',
        '-days',
        '3650',
      ],
      ...['-extfile', extensions, '-extensions', 'server', '-out', files.cert],
    );
    await chmod(files.key, 0o600);
    await chmod(files.ca, 0o644);
  } finally {
    await Promise.all([caKey, request, extensions].map((file) => rm(file, { force: true })));
  }
  return files;
}
