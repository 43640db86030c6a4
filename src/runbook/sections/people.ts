/** The roster, and who may override. */
import { z } from 'zod';
import { name, publicKey, secretRef, text } from '../fields.js';

export const person = z.strictObject({
  name: text.describe('What decisions are given under (`--by`)'),
  roles: z.array(name).min(1).describe('Gates ask for these'),
  contacts: z.array(text).default([]).describe('How the person is reached, first choice first'),
  proofs: z
    .strictObject({
      totp: secretRef
        .optional()
        .describe("The authenticator's secret in Base32, by reference: RFC 6238, SHA-1, 6 digits, 30 s"),
      keys: z
        .array(publicKey)
        .default([])
        .describe('Public keys: a line of OpenSSH (`ssh-ed25519 AAAA...`) or an Ed25519 key in PEM'),
    })
    .optional()
    .describe('How the person proves who they are. Left out: their word counts without a proof'),
});

/** Who may open a gate with fewer people than it demands, or go on without the proof of a fence. */
export const breakGlass = z.strictObject({
  roles: z.array(name).min(1),
  people: z.number().int().min(1).max(20).default(1).describe('How many different people have to say so'),
});
