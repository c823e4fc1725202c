"""The memory of this process: what it holds, and the most it has held since (bench/measure/memory.ts tells how)."""

import resource


def status(field):
    """Bytes of a line such as VmRSS, or None where there is no such file."""
    try:
        with open("/proc/self/status") as file:
            for line in file:
                if line.startswith(field + ":"):
                    return 1024 * int(line.split()[1])
    except OSError:
        return None


class Memory:
    """Begins at what is held now."""

    def __init__(self):
        self.baseline = status("VmRSS")
        try:
            with open("/proc/self/clear_refs", "w") as file:
                file.write("5")
            self.reset = True
        except OSError:
            self.reset = False

    def used(self):
        lifetime = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        peak = status("VmHWM") or lifetime
        return {"baseline": self.baseline, "peak": peak, "isReset": self.reset}
