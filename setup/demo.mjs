#!/usr/bin/env node
/** `npm run demo`: set-up, build, then the demo itself with the arguments given. */

import process from 'node:process';
import { launch } from './launch.mjs';

await launch('lab/demo.js', process.argv.slice(2));
