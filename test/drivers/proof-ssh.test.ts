/** Signatures of OpenSSH where its programs cannot simply be asked: hardware keys, and machines without ssh-keygen. */
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os, { tmpdir } from 'node:os';
import { join } from 'node:path';
import { verifyProof } from '../../activities/proof/verify.js';
import { keyFolder, NOW, NOW_MS, personWith, RUN, statementWith } from '../support/people.js';

const folder = keyFolder();
afterAll(() => folder.remove());

function judge(publicKey: string, signature: string) {
  const verify = verifyProof({ now: () => NOW_MS, claim: async () => undefined });
  const person = personWith({ keys: [publicKey] });
  return verify({
    at: RUN,
    person,
    statement: statementWith(),
    proof: { at: NOW, signature },
    secondFactor: 'none',
  });
}

/** A string of SSH: RFC 4251, 5. */
function ssh(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** What a hardware key signs: PROTOCOL.u2f and PROTOCOL.sshsig of OpenSSH. */
function hardwareKey() {
  const type = 'sk-ssh-ed25519@openssh.com';
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const point = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
  const blob = Buffer.concat([ssh(type), ssh(point), ssh('ssh:')]);
  const hash = (content: string | Buffer, algorithm: string) =>
    createHash(algorithm).update(content).digest();
  // That it was touched, and how often it has signed.
  const presence = Buffer.from([1, 0, 0, 0, 7]);
  const signText = (text: string) => {
    const parts = [ssh('muster'), ssh(''), ssh('sha512')];
    const message = Buffer.concat([Buffer.from('SSHSIG'), ...parts, ssh(hash(text, 'sha512'))]);
    const signed = Buffer.concat([hash('ssh:', 'sha256'), presence, hash(message, 'sha256')]);
    const signature = Buffer.concat([ssh(type), ssh(sign(null, signed, privateKey)), presence]);
    const version = Buffer.from([0, 0, 0, 1]);
    const whole = Buffer.concat([Buffer.from('SSHSIG'), version, ssh(blob), ...parts, ssh(signature)]);
    return `-----BEGIN SSH SIGNATURE-----\n${whole.toString('base64')}\n-----END SSH SIGNATURE-----\n`;
  };
  return { publicKey: `${type} ${blob.toString('base64')}`, signText };
}

test('a hardware key counts, for what it has signed', async () => {
  const key = hardwareKey();
  expect(await judge(key.publicKey, key.signText(statementWith()))).toMatchObject({
    accepted: true,
    methods: ['ssh'],
  });
  const other = key.signText(statementWith({ choice: 'deny' }));
  expect(await judge(key.publicKey, other)).toMatchObject({ accepted: false });
});

test('a name or key that looks like something else cannot widen who is let in', async () => {
  const [own, foreign] = [folder.sshKey('ed25519'), folder.sshKey('ed25519')];
  const key = `${own.publicKey} *\n* ${foreign.publicKey}`;
  const signature = folder.signSsh(foreign.file, statementWith());
  expect(await judge(key, signature)).toMatchObject({ accepted: false });
});

test('without ssh-keygen the failure names what is missing', async () => {
  const own = folder.sshKey('ed25519');
  const signature = folder.signSsh(own.file, statementWith());
  const path = process.env.PATH;
  process.env.PATH = folder.path;
  try {
    await expect(judge(own.publicKey, signature)).rejects.toMatchObject({
      code: 'ToolMissing',
      message: expect.stringContaining('ssh-keygen'),
    });
  } finally {
    process.env.PATH = path;
  }
});

test('nothing is left behind', async () => {
  const own = folder.sshKey('ed25519');
  const alone = mkdtempSync(join(tmpdir(), 'muster-alone-'));
  const temporary = jest.spyOn(os, 'tmpdir').mockReturnValue(alone);
  try {
    await judge(own.publicKey, folder.signSsh(own.file, statementWith()));
    await judge(own.publicKey, folder.signSsh(own.file, statementWith({ choice: 'deny' })));
    expect(temporary).toHaveBeenCalled();
    expect(readdirSync(alone)).toEqual([]);
  } finally {
    temporary.mockRestore();
    rmSync(alone, { recursive: true });
  }
});
