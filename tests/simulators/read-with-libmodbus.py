"""Reads registers with libmodbus, for tests: a list of reads as JSON comes in, the words or the error of each go out.

[{"unit": 1, "table": "holding", "start": 0, "count": 2}, ...] -> [[1, 2], "Illegal data address", ...]
"""
import ctypes
import json
import sys

lib = ctypes.CDLL("libmodbus.so.5")
for name in ("modbus_new_tcp", "modbus_new_rtu"):
    getattr(lib, name).restype = ctypes.c_void_p
lib.modbus_strerror.restype = ctypes.c_char_p
ctypes.set_errno(0)
get_errno = ctypes.CDLL("libc.so.6", use_errno=True).__errno_location
get_errno.restype = ctypes.POINTER(ctypes.c_int)


def fail(what):
    return what + ": " + lib.modbus_strerror(get_errno()[0]).decode()


def read(context, unit, table, start, count):
    lib.modbus_set_slave(context, unit)
    bits = table in ("coil", "discrete")
    cells = ((ctypes.c_uint8 if bits else ctypes.c_uint16) * count)()
    name = {
        "holding": "modbus_read_registers",
        "input": "modbus_read_input_registers",
        "coil": "modbus_read_bits",
        "discrete": "modbus_read_input_bits",
    }[table]
    got = getattr(lib, name)(context, start, count, cells)
    return list(cells) if got == count else fail(name)


def main():
    kind, place = sys.argv[1:3]
    if kind == "rtu":
        context = ctypes.c_void_p(lib.modbus_new_rtu(place.encode(), 9600, ctypes.c_char(b"N"), 8, 1))
    else:
        host, port = place.split(":")
        context = ctypes.c_void_p(lib.modbus_new_tcp(host.encode(), int(port)))
    lib.modbus_set_response_timeout(context, 5, 0)
    if lib.modbus_connect(context) != 0:
        sys.exit(fail("connect"))
    reads = json.load(sys.stdin)
    json.dump([read(context, **one) for one in reads], sys.stdout)
    lib.modbus_close(context)


main()
