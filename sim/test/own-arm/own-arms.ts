/** Arms for the tests: four joints and a gripper from answers, four joints as URDF and as MJCF. */
import { type ArmAnswers, armAnswersSchema, type OwnBus } from '@sim2servo/models/arm-answers';
import { planOfAnswers } from '../../src/own-arm/answers.js';
import type { ArmPlan } from '../../src/own-arm/arm-plan.js';

export const fourJoints: ArmAnswers = {
  baseMm: [10, 0, 50],
  joints: [
    { name: 'pan', axis: 'z', rangeDeg: [-100, 100], offsetMm: [0, 0, 45] },
    { name: 'lift', axis: 'y', rangeDeg: [-90, 90], offsetMm: [0, 0, 110] },
    { name: 'elbow', axis: '-y', rangeDeg: [-120, 20], offsetMm: [100, 0, 0] },
    { name: 'Wrist Roll', axis: 'x', rangeDeg: [0, 270], offsetMm: [70, 5, 0] },
  ],
  gripper: { axis: 'z', rangeDeg: [0, 70] },
};

export function plan(answers: ArmAnswers = fourJoints, bus: OwnBus = 'feetech'): ArmPlan {
  return planOfAnswers(armAnswersSchema.parse(answers), { name: 'own', bus });
}

const inertial = (massKg: number, x: number, z = 0) =>
  `<inertial><mass value="${massKg}"/><origin xyz="${x} 0 ${z}"/><inertia ixx="2e-5" iyy="8e-5" izz="9e-5" ixy="1e-6" ixz="0" iyz="0"/></inertial>`;
const mesh = (name: string) =>
  `<collision><geometry><mesh filename="package://four/meshes/${name}.stl"/></geometry></collision>`;

/** A turret, a shoulder whose frame lies on its side, an elbow, a wrist that turns for ever, and a fingertip behind a fixed joint. */
export const urdf = `<?xml version="1.0"?>
<robot name="four">
  <link name="base_link">${mesh('base')}${inertial(0.4, 0)}</link>
  <joint name="Base_Yaw" type="revolute">
    <parent link="base_link"/><child link="turret"/><origin xyz="0 0 0.05" rpy="0 0 1.57079632679"/>
    <axis xyz="0 0 1"/><limit lower="-2" upper="2.2" effort="2" velocity="4"/>
  </joint>
  <link name="turret">${mesh('turret')}${inertial(0.09, 0, 0.03)}</link>
  <joint name="Shoulder" type="revolute">
    <parent link="turret"/><child link="upper"/><origin xyz="0 0 0.06" rpy="1.57079632679 0 0"/>
    <axis xyz="0 0 1"/><limit lower="-0.3" upper="2.2" effort="2" velocity="4"/>
  </joint>
  <link name="upper">
    <collision><origin xyz="0.06 0 0" rpy="0 1.57079632679 0"/><geometry><cylinder radius="0.012" length="0.1"/></geometry></collision>
    ${inertial(0.1, 0.07)}
  </link>
  <joint name="Elbow" type="revolute">
    <parent link="upper"/><child link="fore"/><origin xyz="0.12 0 0"/>
    <axis xyz="0 0 1"/><limit lower="-2.2" upper="0.2" effort="2" velocity="4"/>
  </joint>
  <link name="fore"/>
  <joint name="Wrist" type="continuous">
    <parent link="fore"/><child link="hand"/><origin xyz="0.1 0.02 0"/><axis xyz="0 0 1"/>
  </joint>
  <link name="hand">${inertial(0.03, 0.02)}</link>
  <joint name="tip" type="fixed"><parent link="hand"/><child link="tool0"/><origin xyz="0.06 0 0.01"/></joint>
  <link name="tool0">${inertial(0.01, 0)}</link>
</robot>`;

/** The same lengths, with what MJCF has besides: two joints in one body, a plate that is fixed, quaternions, materials, a sensor. */
export const mjcf = `<mujoco>
  <compiler angle="degree"/>
  <asset>
    <texture name="paint" type="2d" file="gone.png"/><material name="paint" texture="paint"/>
    <mesh name="shell" file="gone.stl"/>
  </asset>
  <worldbody>
    <geom type="plane" size="1 1 .1"/>
    <body name="column" pos="0 0 0.05">
      <geom type="box" size="0.02 0.02 0.02" mass="0.2"/>
      <body name="shoulder" pos="0 0 0.05" quat="0.70710678 0 0 0.70710678">
        <joint name="yaw" axis="0 0 1" range="-110 110"/>
        <joint name="pitch" axis="1 0 0" pos="0 0 0.01" range="-80 80"/>
        <geom type="mesh" mesh="shell" material="paint"/>
        <geom type="capsule" fromto="0 0 0.02 0 0 0.1" size="0.01" mass="0.08" material="paint"/>
        <body name="plate" pos="0 0 0.1"><geom type="cylinder" size="0.015 0.003" mass="0.02"/></body>
        <body name="forearm" pos="0 0 0.12">
          <joint name="elbow" axis="1 0 0" range="-130 10"/>
          <geom type="ellipsoid" size="0.01 0.01 0.05" pos="0 0 0.05" mass="0.06"/>
          <site name="tcp" pos="0 0.01 0.11"/>
          <body name="jaw" pos="0 0 0.08"><joint name="grip" axis="0 1 0" range="-5 40"/><geom size="0.01" mass="0.01"/></body>
        </body>
      </body>
    </body>
  </worldbody>
  <actuator><motor joint="yaw"/></actuator>
  <sensor><jointpos joint="yaw"/></sensor>
  <keyframe><key qpos="1 0 0 0"/></keyframe>
</mujoco>`;
