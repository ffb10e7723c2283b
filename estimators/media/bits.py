"""Numbers of some bits each, as headers of H.264 and HEVC hold them (ITU-T H.264, 7.2 and 9.1)."""

from __future__ import annotations


class Bits:
    """The bits of a unit, the bytes against false start codes taken out; zeros behind its end."""

    def __init__(self, data: bytes) -> None:
        data = data.replace(b"\0\0\3", b"\0\0")
        self._left = f"{int.from_bytes(data):0{8 * len(data)}b}" if data else ""
        self._at = 0

    def u(self, count: int) -> int:
        """An unsigned number of `count` bits."""
        taken = self._left[self._at : self._at + count]
        self._at += count
        return int(taken.ljust(count, "0") or "0", 2)

    def ue(self) -> int:
        """An unsigned number in Exp-Golomb code."""
        one = self._left.find("1", self._at)
        zeros = min(one - self._at, 32) if one >= 0 else 0
        self._at += zeros
        return self.u(zeros + 1) - 1 if one >= 0 else 0

    def se(self) -> int:
        """A signed one."""
        code = self.ue()
        return (code + 1) // 2 if code % 2 else -(code // 2)

    def skip_ue(self, count: int) -> None:
        """Passes over `count` numbers."""
        for _ in range(count):
            self.ue()
