"""Which pairs are looked at: those that share a mark, a name, or words rare enough to mean something, a slip allowed.

A pair that shares none of these is not looked at, which is what makes a hundred thousand records a matter of seconds. Done in
columns: a table of keys joined with itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from tieout.core.identity.known import Known, Population

#: A word of more names than this says too little alone; it counts together with another, or with a town.
_RARE = 8
#: Records of one mark, name, or pair of words beyond which they are passed over: so many pairs would be work for nothing.
_MOST_OF_MARK, _MOST_OF_NAME, _MOST_OF_WORDS = 60, 60, 16
#: Bearers of a word that may be a slip of a better known one, and the shortest word of which this is asked.
_SLIPPED, _LONG = 2, 5
#: At most so many words are thought of as what a slip may have meant.
_MEANT = 3


def candidates(population: Population) -> list[tuple[int, int]]:
    """Pairs of places in `population.known`, the smaller first, in order."""
    known = population.known
    source = pl.DataFrame({"at": range(len(known)), "source": [one.record.source for one in known]}, schema={"at": pl.UInt32, "source": pl.String})
    # Within one source, some words in common and nothing else would never be enough.
    by_words = _pairs(_words(population), _MOST_OF_WORDS).join(source, on="at").join(source, left_on="other", right_on="at", suffix="_other")
    found = pl.concat(
        [
            _pairs(_marks(known), _MOST_OF_MARK),
            _names(known),
            by_words.filter(pl.col("source") != pl.col("source_other")).select("at", "other"),
        ]
    )
    return found.unique().sort("at", "other").rows()


def _keyed(keys: list[str], at: list[int]) -> pl.DataFrame:
    return pl.DataFrame({"key": keys, "at": at}, schema={"key": pl.String, "at": pl.UInt32})


def _pairs(keyed: pl.DataFrame, most: int) -> pl.DataFrame:
    """Every two places that share a key, where not too many share it; the smaller first."""
    few = keyed.unique().filter(pl.len().over("key").is_between(2, most))
    return few.join(few.rename({"at": "other"}), on="key").filter(pl.col("at") < pl.col("other")).select("at", "other").unique()


def _marks(known: Sequence[Known]) -> pl.DataFrame:
    return _keyed([mark for one in known for mark in one.marks], [at for at, one in enumerate(known) for _ in one.marks])


def _names(known: Sequence[Known]) -> pl.DataFrame:
    """By name; a name that very many bear, within a town."""
    called = [(one.name, *one.aliases) for one in known]
    keyed = _keyed([name.key for names in called for name in names], [at for at, names in enumerate(called) for _ in names])
    keyed = keyed.filter(pl.col("key") != "").unique()
    towns = _keyed([one.town for one in known], list(range(len(known)))).rename({"key": "town"})
    crowd = keyed.filter(pl.len().over("key") > _MOST_OF_NAME).join(towns.filter(pl.col("town") != ""), on="at")
    return pl.concat([_pairs(keyed, _MOST_OF_NAME), _pairs(crowd.select(key=pl.concat_str("key", "town", separator=" "), at="at"), _MOST_OF_NAME)])


def _words(population: Population) -> pl.DataFrame:
    """By each rare word, by every two frequent ones, and by the least frequent of them in a town; slips taken for what they meant."""
    known = population.known
    words = [one.name.words if not one.aliases else [word for name in (one.name, *one.aliases) for word in name.words] for one in known]
    keyed = _keyed([word for there in words for word in there], [at for at, there in enumerate(words) for _ in there]).unique()
    counts = pl.DataFrame({"key": list(population.words), "count": list(population.words.values())}, schema={"key": pl.String, "count": pl.UInt32})
    keyed = pl.concat([keyed, keyed.join(_meant(counts), on="key").select(key="meant", at="at")]).unique().join(counts, on="key")
    rare, common = keyed.filter(pl.col("count") <= _RARE), keyed.filter(pl.col("count") > _RARE)
    two = common.join(common, on="at", suffix="_other").filter(pl.col("key") < pl.col("key_other"))
    towns = _keyed([one.town for one in known], list(range(len(known)))).rename({"key": "town"}).filter(pl.col("town") != "")
    least = common.sort("at", "count", "key").unique("at", keep="first", maintain_order=True).join(towns, on="at")
    return pl.concat(
        [
            rare.select("key", "at"),
            two.select(key=pl.concat_str("key", "key_other", separator=" "), at="at"),
            least.select(key=pl.concat_str("key", "town", separator=" @"), at="at"),
        ]
    )


def _meant(counts: pl.DataFrame) -> pl.DataFrame:
    """For each word hardly anybody bears, the words at one slip from it, the most frequent first."""
    word = pl.col("key")
    long = counts.filter(word.str.len_chars() >= _LONG, ~word.str.contains(r"\d$"))
    # Two words at one slip from each other are alike, or have a spelling with one letter left out in common.
    shorter = [
        long.filter(word.str.len_chars() > at).with_columns(left=word.str.slice(0, at) + word.str.slice(at + 1))
        for at in range(long.select(word.str.len_chars().max().fill_null(0)).item())
    ]
    near = pl.concat([long.with_columns(left=word), *shorter])
    two = near.filter(pl.col("count") <= _SLIPPED).join(near, on="left", suffix="_meant").filter(word != pl.col("key_meant"))
    best = two.unique(["key", "key_meant"]).sort("key", "count_meant", "key_meant", descending=[False, True, False])
    return best.filter(pl.int_range(pl.len()).over("key") < _MEANT).select("key", meant="key_meant")
