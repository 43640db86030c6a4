/** Credentials after a breach: exchanged, the old ones proven dead, and only then the way in is opened. Types only. */
import type { BreachSection, OwnersCommand } from '../../src/runbook/schema.js';
import type { DatabaseAt, Promotion, StepRef, Summarised } from '../results.js';

/** A login of the database whose password is exchanged. References, never passwords. */
export interface Renewal {
  readonly user: string;
  readonly oldPassword: string;
  readonly newPassword: string;
}

export interface CredentialsRotated extends Summarised {
  readonly logins: readonly { readonly user: string; readonly newPassword: string }[];
  /** Named in the runbook, and not in the recovered database. */
  readonly absent: readonly string[];
  /** Roles that had a password and have none any more. */
  readonly withoutPassword: readonly string[];
  /** Roles that are in no baseline: they may neither log in nor do anything. */
  readonly shutOut: readonly string[];
  /** Titles of what the owner's programs exchanged. */
  readonly byOwner: readonly string[];
}

export interface OldCredentialsDead extends Summarised {
  readonly refused: readonly { readonly what: string; readonly at: string; readonly answer: string }[];
  /** What was exchanged and nothing proves dead. */
  readonly unproven: readonly string[];
}

export interface PrimaryOpened extends Summarised {
  /** Where it listens from now on. */
  readonly address: string;
}

export interface CredentialsActivities {
  /** Ends the application by its owner's program. Refuses to go on while it answers. */
  stopApplication(input: {
    at: StepRef;
    url: string;
    healthPath: string;
    command: Omit<OwnersCommand, 'driver'>;
    site: string;
  }): Promise<Summarised>;
  /** On a promoted copy that only Muster reaches: new passwords for every login, none for whoever is not named. */
  rotateCredentials(input: {
    at: StepRef;
    sealed: DatabaseAt;
    promotion: Pick<Promotion, 'promotedAt'>;
    renewals: readonly Renewal[];
    roles: readonly string[];
    rotations: BreachSection['rotations'];
  }): Promise<CredentialsRotated>;
  /** Tries every old credential, at the new primary and at the old one. @throws `OldCredentialAlive`, `NotProvenDead` */
  proveOldDead(input: {
    at: StepRef;
    sealed: DatabaseAt;
    damaged: DatabaseAt;
    renewals: readonly Renewal[];
    /** Roles that the recovered database does not have: nothing new can be tried with them. */
    absent: readonly string[];
    rotations: BreachSection['rotations'];
  }): Promise<OldCredentialsDead>;
  /** Lets the promoted copy listen. Refuses while anybody could come in without a password. */
  openPrimary(input: {
    at: StepRef;
    sealed: DatabaseAt;
    target: DatabaseAt;
    renewals: readonly Renewal[];
  }): Promise<PrimaryOpened>;
}
