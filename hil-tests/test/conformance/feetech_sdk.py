"""Feetech's own SDK (PyPI: feetech-servo-sdk) on a port with servos 1 to 6: what a user's program does. Prints one JSON line."""
import json
import sys
import time

import scservo_sdk as scs

IDS = range(1, 7)
port = scs.PortHandler(sys.argv[1])
servos = scs.PacketHandler(0)
assert port.openPort()
assert port.setBaudRate(1_000_000)


def ok(answer):
    *data, outcome, error = answer
    assert outcome == scs.COMM_SUCCESS, servos.getTxRxResult(outcome)
    assert error == 0, servos.getRxPacketError(error)
    return data[0] if data else None


models = [ok(servos.ping(port, i)) for i in IDS]
start = [ok(servos.read2ByteTxRx(port, i, 56)) for i in IDS]
for i in IDS:
    ok(servos.write1ByteTxRx(port, i, 41, 100))
    ok(servos.write2ByteTxRx(port, i, 42, 2048))
    ok(servos.write1ByteTxRx(port, i, 40, 1))
goals = scs.GroupSyncWrite(port, servos, 42, 2)
for i in IDS:
    goal = 2048 + 50 * i
    assert goals.addParam(i, [scs.SCS_LOBYTE(goal), scs.SCS_HIBYTE(goal)])
assert goals.txPacket() == scs.COMM_SUCCESS
time.sleep(1)
state = scs.GroupSyncRead(port, servos, 56, 8)
for i in IDS:
    assert state.addParam(i)
assert state.txRxPacket() == scs.COMM_SUCCESS
end = [state.getData(i, 56, 2) for i in IDS]
ok(servos.regWriteTxRx(port, 1, 42, 2, [0, 8]))
waiting = ok(servos.read1ByteTxRx(port, 1, 64))
servos.action(port, scs.BROADCAST_ID)
done = ok(servos.read1ByteTxRx(port, 1, 64))
for i in IDS:
    ok(servos.write1ByteTxRx(port, i, 40, 0))
print(json.dumps(dict(models=models, start=start, end=end, waiting=waiting, done=done)))
