/** The systems of the lab beside Payymo. A new one is a file here and a line in this list. */
import { accubooks } from './accubooks.js';
import type { WorldDefinition } from './definition.js';
import { moneyflow } from './moneyflow.js';
import { practiceHub } from './practice-hub.js';
import { spendsync } from './spendsync.js';

const WORLDS = {
  moneyflow,
  accubooks,
  spendsync,
  'practice-hub': practiceHub,
} as const satisfies Readonly<Record<string, WorldDefinition>>;

export type WorldName = keyof typeof WORLDS;
export const WORLD_NAMES = Object.keys(WORLDS) as readonly WorldName[];

/** Every system that a lab can hold. */
export const SYSTEMS = ['payymo', ...WORLD_NAMES] as const;
export type SystemName = (typeof SYSTEMS)[number];

export function isWorld(system: string): system is WorldName {
  return Object.hasOwn(WORLDS, system);
}

export function worldNamed(system: WorldName): WorldDefinition {
  return WORLDS[system];
}
