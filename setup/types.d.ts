/** Shapes shared by the set-up's modules; the set-up itself is plain JavaScript because it runs before anything is installed. */

export interface Accepts {
  /** Lowest version that works. */
  readonly from: string;
  /** First version that is not accepted any more. */
  readonly below: string;
}

/** How a part is had when it is not there. */
export type Installation =
  | {
      readonly kind: 'go';
      readonly module: string;
      /** Modules of the same version whose programs belong to the part. */
      readonly tools?: readonly string[];
      readonly download?: 'temporal';
    }
  | { readonly kind: 'python'; readonly requirement: string; readonly constraints?: string }
  | { readonly kind: 'debian'; readonly packages: readonly string[] };

export interface PartSpec {
  /** What it is, for progress and messages. */
  readonly title: string;
  /** The version that is installed; for Debian's packages the series. */
  readonly version: string;
  readonly accepts: Accepts;
  /** Names its program may have, best first. */
  readonly programs: readonly string[];
  /** Programs that must lie beside the first one. */
  readonly companions?: readonly string[];
  /** Folders looked at beside PATH, first. `~` is the home folder and `*` stands for one path segment. */
  readonly places?: readonly string[];
  /** Arguments that make it print its version; null: it has no such option. */
  readonly versionArgs: readonly string[] | null;
  /** Environment variable that names the program to use, whatever else is there. */
  readonly override: string;
  readonly install: Installation;
  /** How long the installation takes, in words. */
  readonly takes: string;
  /** Name of its folder in the cache where several parts come in the same packages; else the part's own. */
  readonly folder?: string;
  /** Only looked for and installed for the tests. */
  readonly testsOnly?: true;
  /** Only looked for and installed where it is asked for by name. */
  readonly onRequest?: true;
}

export type PartTable = Readonly<Record<string, PartSpec>>;

/** What the set-up knows about the machine; everything effectful is looked up once and handed on. */
export interface Machine {
  readonly root: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** `${XDG_CACHE_HOME:-~/.cache}/muster`. */
  readonly cacheDir: string;
  readonly platform: string;
  readonly arch: string;
  /** From /etc/os-release: `debian`, `12`; `unknown` where there is none. */
  readonly osId: string;
  readonly osVersion: string;
  /** Whether programs outside the cache count (`MUSTER_IGNORE_SYSTEM=1` says no). */
  readonly useSystem: boolean;
}

export interface FoundPart {
  readonly path: string;
  readonly version: string;
  readonly source: 'override' | 'cache' | 'system';
  /** `binDir`, and `account` where the part must not run as root. */
  readonly extra: Readonly<Record<string, string>>;
}

/** What a program said about its version; remembered by path, size and time of change. */
export interface Probe {
  readonly size: number;
  readonly mtimeMs: number;
  /** False: it does not start. */
  readonly runs: boolean;
  /** Null: it starts but does not tell. */
  readonly version: string | null;
  /** Its last words when it does not start. */
  readonly trouble?: string;
}

export interface Manifest {
  readonly format: 1;
  readonly parts: Readonly<Record<string, FoundPart>>;
  readonly probes: Readonly<Record<string, Probe>>;
}

/** Why a part was passed over, and where it was looked for. */
export interface Search {
  readonly found: FoundPart | null;
  readonly rejected: readonly string[];
}

export interface Job {
  /** Part names this job brings, or the name of a tool that other jobs need. */
  readonly id: string;
  readonly title: string;
  readonly kind: 'npm' | 'go' | 'python' | 'debian' | 'debian-private' | 'account';
  readonly parts: readonly string[];
  /** Jobs that must be done before. */
  readonly needs: readonly string[];
  /** Jobs of one lane run one after another. */
  readonly lane: string;
  readonly takes: string;
  /** What a person types to get the same. */
  readonly command: string;
  readonly packages?: readonly string[];
  /** Debian: put before apt-get, `sudo -n` or nothing. */
  readonly prefix?: readonly string[];
  readonly install?: Installation;
  /** Folder in the cache that the job makes. */
  readonly target?: string;
}

export interface Impossible {
  readonly part: string;
  readonly why: string;
  readonly command: string;
}

export interface Plan {
  readonly jobs: readonly Job[];
  readonly impossible: readonly Impossible[];
}

/** What planning asks of the machine; looked up only when something is missing. */
export interface Facilities {
  /** Path of a Go that is recent enough, or null. */
  readonly go: string | null;
  /** Path of a Python that is recent enough, or null. */
  readonly python: string | null;
  /** Whether that Python can make a virtual environment with pip in it. */
  readonly pythonHasPip: boolean;
  readonly apt: boolean;
  /** Root, or `sudo -n` works. */
  readonly privilege: 'root' | 'sudo' | 'none';
  readonly postgresAccount: boolean;
  readonly nodeModulesCurrent: boolean;
}
