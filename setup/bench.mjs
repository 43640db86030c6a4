#!/usr/bin/env node
/** `npm run bench`: set-up, build, then the bench itself with the arguments given. */

import process from 'node:process';
import { launch } from './launch.mjs';

await launch('bench/main.js', process.argv.slice(2));
