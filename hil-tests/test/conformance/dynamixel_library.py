"""The manufacturer's own library on an emulated Dynamixel bus of six servos: everything it can ask, asked.

usage: python dynamixel_library.py PORT BAUD        exits with 1 at the first thing that is not as on real servos; prints one JSON line.
"""
import json
import sys
import time

from dynamixel_sdk import COMM_SUCCESS, GroupBulkRead, GroupBulkWrite, GroupSyncRead, GroupSyncWrite, PacketHandler, PortHandler

IDS = [1, 2, 3, 4, 5, 6]
OPERATING_MODE, HOMING_OFFSET, TORQUE, LED, ERROR_STATUS, WATCHDOG, GOAL, POSITION, VOLTAGE = 11, 20, 64, 65, 70, 98, 116, 132, 144
INDIRECT_ADDRESS, INDIRECT_DATA = 168, 208
RANGE_ERROR, LIMIT_ERROR, ACCESS_ERROR = 4, 6, 7

port = PortHandler(sys.argv[1])
packets = PacketHandler(2.0)


def expect(seen, wanted, what):
    if seen != wanted:
        sys.exit(f"{what}: expected {wanted}, saw {seen}")


def done(result, what, error=0):
    """The value of an answer whose communication was flawless and whose error is the one expected."""
    *value, communication, status = result
    expect(packets.getTxRxResult(communication), packets.getTxRxResult(COMM_SUCCESS), what)
    expect(status, error, f"{what}: error")
    return value[0] if value else None


def little_endian(value, size=4):
    return list(value.to_bytes(size, "little", signed=True))


expect(port.openPort() and port.setBaudRate(int(sys.argv[2])), True, "opening")
for i in IDS:
    expect(done(packets.ping(port, i), f"ping {i}"), 1200, "model")
found, communication = packets.broadcastPing(port)
expect((communication, sorted(found)), (COMM_SUCCESS, IDS), "ping of everybody")

# one byte, two, four; what is refused; what waits for an action
done(packets.write1ByteTxRx(port, 1, LED, 1), "LED")
expect(done(packets.read1ByteTxRx(port, 1, LED), "LED"), 1, "LED")
expect(done(packets.read2ByteTxRx(port, 1, VOLTAGE), "voltage") > 0, True, "a voltage")
done(packets.write4ByteTxRx(port, 1, HOMING_OFFSET, 0), "homing offset")
done(packets.write1ByteTxRx(port, 1, TORQUE, 1), "torque")
done(packets.write1ByteTxRx(port, 1, OPERATING_MODE, 4), "a locked EEPROM", ACCESS_ERROR)
done(packets.write4ByteTxRx(port, 1, POSITION, 1), "a read-only register", ACCESS_ERROR)
done(packets.write4ByteTxRx(port, 1, GOAL, 5000), "a goal beyond the limits", LIMIT_ERROR)
done(packets.regWriteTxRx(port, 2, LED, 1, [1]), "reg write")
expect(done(packets.read1ByteTxRx(port, 2, LED), "before the action"), 0, "LED")
done((packets.action(port, 2), 0), "action")
time.sleep(0.01)
# The servo's answer, which nobody waits for: before 4.0 the library's clearPort() empties the other direction.
port.ser.reset_input_buffer()
expect(done(packets.read1ByteTxRx(port, 2, LED), "after the action"), 1, "LED")

# it goes where it is told
done(packets.write4ByteTxRx(port, 1, GOAL, 2500), "goal")
time.sleep(0.5)
expect(abs(done(packets.read4ByteTxRx(port, 1, POSITION), "position") - 2500) < 20, True, "at the goal")

# many at once
read = GroupSyncRead(port, packets, POSITION, 4)
for i in IDS:
    read.addParam(i)
for what, ask in (("sync read", read.txRxPacket), ("fast sync read", read.fastSyncRead)):
    expect(ask(), COMM_SUCCESS, what)
    expect(all(read.isAvailable(i, POSITION, 4) for i in IDS), True, what)
    expect([round(read.getData(i, POSITION, 4), -2) for i in IDS], [2500] + 5 * [2000], what)
mixed = GroupBulkRead(port, packets)
for i in IDS:
    mixed.addParam(i, *((POSITION, 4) if i % 2 else (VOLTAGE, 2)))
for what, ask in (("bulk read", mixed.txRxPacket), ("fast bulk read", mixed.fastBulkRead)):
    expect(ask(), COMM_SUCCESS, what)
    expect(all(mixed.isAvailable(i, *((POSITION, 4) if i % 2 else (VOLTAGE, 2))) for i in IDS), True, what)
goals = GroupSyncWrite(port, packets, GOAL, 4)
for i in IDS:
    goals.addParam(i, little_endian(2000 + i))
expect(goals.txPacket(), COMM_SUCCESS, "sync write")
expect([done(packets.read4ByteTxRx(port, i, GOAL), "goal") for i in IDS], [2000 + i for i in IDS], "sync write")
some = GroupBulkWrite(port, packets)
some.addParam(3, GOAL, 4, little_endian(2222))
some.addParam(4, LED, 1, [1])
expect(some.txPacket(), COMM_SUCCESS, "bulk write")
expect(done(packets.read4ByteTxRx(port, 3, GOAL), "goal"), 2222, "bulk write")
expect(done(packets.read1ByteTxRx(port, 4, LED), "LED"), 1, "bulk write")

# a header inside the data is stuffed, both ways: FF FF FD 00 as an offset
done(packets.write4ByteTxRx(port, 5, HOMING_OFFSET, 0x00FDFFFF & 0xFFFFF), "any offset")
for k, byte in enumerate([0xFF, 0xFF, 0xFD, 0x00]):
    done(packets.write1ByteTxRx(port, 5, INDIRECT_DATA + k, byte), "a byte")
expect(done(packets.read4ByteTxRx(port, 5, INDIRECT_DATA), "stuffed"), 0x00FDFFFF, "stuffed")
done(packets.write4ByteTxRx(port, 5, INDIRECT_DATA, 0x00FDFFFF), "stuffed")
expect(done(packets.read4ByteTxRx(port, 5, INDIRECT_DATA), "stuffed"), 0x00FDFFFF, "stuffed")
done(packets.write4ByteTxRx(port, 5, HOMING_OFFSET, 0), "no offset")

# indirect slots
for k in range(4):
    done(packets.write2ByteTxRx(port, 6, INDIRECT_ADDRESS + 2 * k, POSITION + k), "indirect address")
expect(done(packets.read4ByteTxRx(port, 6, INDIRECT_DATA), "indirect"), done(packets.read4ByteTxRx(port, 6, POSITION), "direct"), "indirect")

# the bus watchdog
done(packets.write1ByteTxRx(port, 1, WATCHDOG, 5), "watchdog")
time.sleep(0.3)
expect(done(packets.read1ByteTxRx(port, 1, WATCHDOG), "watchdog"), 255, "fired")
done(packets.write4ByteTxRx(port, 1, GOAL, 2100), "a goal after it has fired", RANGE_ERROR)
done(packets.write1ByteTxRx(port, 1, WATCHDOG, 0), "clearing it")
done(packets.write4ByteTxRx(port, 1, GOAL, 2100), "a goal after it was cleared")

# starting anew
done(packets.write1ByteTxRx(port, 1, TORQUE, 0), "torque off")
done(packets.reboot(port, 1), "reboot")
time.sleep(0.3)
expect(done(packets.read1ByteTxRx(port, 1, LED), "LED"), 0, "forgotten")
done(packets.factoryReset(port, 6, 2), "factory reset")
time.sleep(0.3)
expect(done(packets.ping(port, 6), "ping"), 1200, "still there")
done(packets.write1ByteTxRx(port, 6, 9, 0), "return delay")

times = []
for k in range(300):
    start = time.perf_counter()
    expect(read.txRxPacket(), COMM_SUCCESS, "sync read")
    expect(goals.txPacket(), COMM_SUCCESS, "sync write")
    times.append((time.perf_counter() - start) * 1e6)
port.closePort()
times.sort()
print(json.dumps({"client": "dynamixel-sdk", "servos": len(IDS), "cycle_p50_us": round(times[150]), "cycle_p99_us": round(times[297])}))
