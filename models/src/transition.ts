/** Transitions to bytes and back, and the schema record that a log carries for readers that know nothing of us. */
import protobuf from 'protobufjs';
import descriptor from 'protobufjs/ext/descriptor.js';
import { transitionProto } from './transition-schema.js';

export interface TransitionRecord {
  timeS: number;
  episode: number;
  step: number;
  observation: ArrayLike<number>;
  actionRequested: ArrayLike<number>;
  actionExecuted: ArrayLike<number>;
  position: ArrayLike<number>;
  velocity: ArrayLike<number>;
  target: ArrayLike<number>;
  goal: ArrayLike<number>;
  limiters: number;
  late: boolean;
  stale: boolean;
  terminated: boolean;
  truncated: boolean;
  policyDigest: string;
}

const root = protobuf.parse(transitionProto, { keepCase: false }).root;
const type = root.lookupType('sim2servo.Transition');

export interface TransitionField {
  readonly name: keyof TransitionRecord;
  readonly type: 'double' | 'float' | 'uint32' | 'bool' | 'string';
  readonly repeated: boolean;
}

/** The schema as data, in its order: for who writes transitions in another form. */
export const transitionFields = type.fieldsArray.map(
  ({ name, type, repeated }) => ({ name, type, repeated }) as TransitionField,
);

export function encodeTransition(record: TransitionRecord): Uint8Array {
  return type.encode(record).finish();
}

/** @throws where the bytes are no such message */
export function decodeTransition(bytes: Uint8Array): TransitionRecord {
  return type.toObject(type.decode(bytes), { defaults: true, arrays: true }) as TransitionRecord;
}

/** What an MCAP schema record holds: a FileDescriptorSet. */
export const transitionSchema = {
  name: 'sim2servo.Transition',
  encoding: 'protobuf',
  data: descriptor.FileDescriptorSet.encode(root.toDescriptor('proto3')).finish(),
} as const;

/** The topic, and the message encoding, under which transitions stand in a log. */
export const transitionTopic = '/transition';
