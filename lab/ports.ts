export { freePorts, type PortNeed, portOf } from '../src/ports.js';
