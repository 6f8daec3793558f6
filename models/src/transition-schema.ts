/**
 * One control tick as it is logged: the protobuf schema, which is the single definition of a transition. Readers in other languages
 * get it from the log file itself.
 */
export const transitionProto = `
syntax = "proto3";
package sim2servo;

message Transition {
  // Wall clock at the start of the tick, seconds since 1970.
  double time_s = 1;
  // An episode is one goal pursued without a break. Nothing may be learnt across its ends.
  uint32 episode = 2;
  // Counts the ticks of the episode without a gap; a gap means a tick was lost.
  uint32 step = 3;
  // What the policy saw.
  repeated float observation = 4;
  // What the policy asked for, -1 to 1.
  repeated float action_requested = 5;
  // What was executed after the shield, -1 to 1: what learning uses.
  repeated float action_executed = 6;
  // Measured joint positions, rad.
  repeated double position = 7;
  // Estimated joint velocities, rad/s.
  repeated double velocity = 8;
  // Joint targets sent, rad.
  repeated double target = 9;
  // The goal point in the base frame, m.
  repeated double goal = 10;
  // Bits of the limiters that changed the action.
  uint32 limiters = 11;
  // The tick's write ended after the next deadline.
  bool late = 12;
  // The sample was not new.
  bool stale = 13;
  // The task ended here by itself.
  bool terminated = 14;
  // The episode was cut here; the task goes on beyond it.
  bool truncated = 15;
  // SHA-256 of the manifest of the policy that drove; empty where none did.
  string policy_digest = 16;
}
`;
