"""Random draws that are the same with every version of Python and on every machine."""

MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15


def mix(x):
    """Finaliser of SplitMix64 (Steele, Lea, Flood 2014): every input bit reaches every output bit."""
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def key_of(parts):
    """FNV-1a over the printed parts: a document's draws depend only on its name, not on earlier draws."""
    h = 0xCBF29CE484222325
    for byte in "/".join(str(part) for part in parts).encode():
        h = ((h ^ byte) * 0x100000001B3) & MASK
    return mix(h)


class Dice:
    """Counter-based: draw number i of Dice("stories", 7) is a pure function of ("stories", 7, i)."""

    def __init__(self, *parts):
        self.key = key_of(parts)
        self.count = 0

    def below(self, n):
        if n < 1:
            raise ValueError(f"a draw below {n}: there is nothing to draw from")
        self.count += 1
        return (mix((self.key + self.count * GOLDEN) & MASK) * n) >> 64

    def between(self, low, high):
        return low + self.below(high - low + 1)

    def chance(self, percent):
        return self.below(100) < percent

    def pick(self, items):
        return items[self.below(len(items))]

    def weighted(self, pairs):
        """pairs of (item, whole-number weight)"""
        at = self.below(sum(weight for _, weight in pairs))
        for item, weight in pairs:
            if at < weight:
                return item
            at -= weight
        raise AssertionError("unreachable: the weights were summed above")

    def sample(self, items, k):
        return self.shuffled(items)[:k]

    def shuffled(self, items):
        items = list(items)
        for i in range(len(items) - 1, 0, -1):
            j = self.below(i + 1)
            items[i], items[j] = items[j], items[i]
        return items
