/** The process of the port that echoes. */
import { EchoServer } from './echo-server.js';
import { serveRig } from './serve-rig.js';

serveRig(EchoServer.start);
