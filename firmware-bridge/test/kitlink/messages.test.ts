import fc from 'fast-check';
import t from 'tap';
import {
  type ArmMessage,
  type ConfigMessage,
  counterNames,
  decodeAck,
  decodeInfo,
  decodeNack,
  decodeState,
  encodeArm,
  encodeConfig,
  encodeHalt,
  encodeMotion,
  type HaltMessage,
  linkReasons,
  type MotionMessage,
  reasonWords,
} from '../../src/kitlink/messages.js';
import { bytesOf, frameVectors, hexOf } from '../support/vectors.js';

const decoders: Readonly<Record<string, (payload: Uint8Array) => object | undefined>> = {
  info: decodeInfo,
  ack: decodeAck,
  nack: decodeNack,
  state: decodeState,
};
/* The vectors are checked data: `kind` says which shape `message` has. */
const encoders: Readonly<Record<string, (message: never) => Uint8Array>> = {
  config: (message: ConfigMessage) => encodeConfig(message),
  arm: (message: ArmMessage) => encodeArm(message),
  motion: (message: MotionMessage) => encodeMotion(message),
  halt: (message: HaltMessage) => encodeHalt(message),
};
const ofKind = (kinds: object) => frameVectors.vectors.filter(v => v.kind !== undefined && v.kind in kinds);

t.test('what the board says is read as the vectors mean it', async t => {
  t.ok(ofKind(decoders).length >= 17, 'there are vectors of each');
  for (const { name, kind, frame, message } of ofKind(decoders))
    t.same(decoders[kind!]!(bytesOf(frame.payload)), message, name);
});

t.test('what the host says is written as the vectors mean it', async t => {
  t.same([...new Set(ofKind(encoders).map(v => v.kind))].sort(), ['arm', 'config', 'halt', 'motion']);
  for (const { name, kind, frame, message } of ofKind(encoders))
    t.equal(hexOf(encoders[kind!]!(message as never)), frame.payload, name);
});

t.test('a payload that is too short says nothing, a longer one is read as far as it is known', async t => {
  for (const { name, kind, frame, message } of ofKind(decoders)) {
    const payload = bytesOf(frame.payload);
    for (let length = 0; length < payload.length; length++)
      t.equal(decoders[kind!]!(payload.subarray(0, length)), undefined, `${name}: ${length} bytes`);
    t.same(decoders[kind!]!(Uint8Array.of(...payload, 1, 2, 3)), message, `${name}: three bytes more`);
  }
});

t.test('no payload makes a decoder throw', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), payload => {
      for (const decode of Object.values(decoders)) decode(payload);
      return true;
    }),
  );
});

t.test('a device state or a reason of a later version is not taken for one we know', async t => {
  const vector = frameVectors.vectors.find(v => v.name === 'STATE armed')!;
  const payload = bytesOf(vector.frame.payload);
  payload[8] = 200;
  payload[9] = 201;
  const state = decodeState(payload)!;
  t.same([state.device, state.reason], ['latched', 'unknown']);
});

t.test('each reason has words, each counter its own name', async t => {
  for (const reason of linkReasons)
    t.ok(reason === 'none' ? reasonWords[reason] === '' : reasonWords[reason].length > 9, reason);
  t.equal(new Set(counterNames).size, counterNames.length);
});
