/**
 * What a server keeps of a password with SCRAM-SHA-256 (RFC 5802, RFC 7677; PostgreSQL manual: 21.5). It is made here, so that the
 * password itself is in no statement: not in a log of the server, not in what other sessions are shown.
 */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';

const ITERATIONS = 4_096;

/** @param password printable ASCII, which needs no preparation of its characters */
export function scramVerifier(password: string, salt: Buffer = randomBytes(16)): string {
  const salted = pbkdf2Sync(password, salt, ITERATIONS, 32, 'sha256');
  const keyed = (text: string) => createHmac('sha256', salted).update(text).digest();
  const stored = createHash('sha256').update(keyed('Client Key')).digest('base64');
  const server = keyed('Server Key').toString('base64');
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString('base64')}$${stored}:${server}`;
}
