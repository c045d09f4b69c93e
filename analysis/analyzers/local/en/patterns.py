"""What English fiction says outright about changes, kin, omens and rules."""

from __future__ import annotations

import re

from ..common.grammar import Grammar, HandedRule, MineRule, RelationRule, SeedRule, StateRule
from . import words as w


def _rule(kind: str, verb: str, certainty: float = 0.7, *, place: bool = False) -> StateRule:
    return StateRule(kind, re.compile(verb), certainty, place)  # type: ignore[arg-type]


_STATES = (
    _rule("condition", r"\b(?:was|were|been|being|lay|got) (?:(?!nearly|hardly|scarcely|barely)\w+ly )?(?:wounded|injured|hurt|poisoned|stabbed|shot|captured|imprisoned|arrested|killed|murdered|slain|drowned|hanged|blinded|crippled|paralysed|paralyzed|dead|unconscious|cursed)\b", 0.75),
    _rule("condition", r"\b(?:died|perished|fainted|passed out|lost consciousness|lost (?:his|her|their) (?:memory|sight|hearing|voice|mind)|fell ill|fell sick|went blind|went mad|caught a fever|bled to death)\b", 0.75),
    _rule("condition", r"\b(?:broke|broken|lost|sprained) (?:his|her) (?:left |right |sword )?(?:arm|leg|wrist|ankle|hand|neck|eye|finger|ribs?)\b", 0.75),
    _rule("condition", r"\b(?:recovered|came to (?:himself|herself|his senses|her senses)|regained consciousness|was healed|was cured|had vanished|disappeared)\b", 0.6),
    _rule("ability", r"\b(?:learn(?:ed|t) (?:how )?to|mastered|had mastered|gained the (?:power|ability|gift)|could now|discovered (?:he|she) could) [^.!?;,]{3,}", 0.65),
    _rule("possession", r"\b(?:received|inherited|acquired|stole|stolen|bought|seized|pocketed|obtained|was given|picked up|found|won) (?:the|a|an|his|her|its|their|one) [^.!?;,]{3,}", 0.6),
    _rule("possession", r"\blost (?:the|a|an|his|her) (?:\w+ )?(?:sword|ring|key|letter|money|map|book|gun|pistol|purse|necklace|amulet|fortune|estate|ship|horse|knife|dagger|crown)\b", 0.65),
    _rule("location", r"\b(?:arrived (?:at|in)|reached|came to|returned to|went to|entered|left|travell?ed to|fled to|rode to|sailed (?:to|for)|set out for|moved to|escaped (?:to|from)|departed (?:for|from)|crossed into|walked (?:to|into)|drove to|slipped into|got to)\b", 0.7, place=True),
    _rule("knowledge", r"\b(?:learn(?:ed|t) (?:that|of|from)|discovered that|reali[sz]ed (?:that|who|what|why)|found out|heard (?:that|of)|was told that|understood (?:now )?(?:that|why|what)|recogni[sz]ed) [^.!?;]{3,}", 0.6),
    _rule("relation", r"\b(?:married|was married to|wed|was engaged to|became engaged to|swore (?:fealty|allegiance|an oath) to|joined|betrayed|was betrothed to|divorced|befriended|adopted) (?=[A-Z]|the )[^.!?;,]{2,}", 0.65),
)  # fmt: skip


# The first that fits counts.
_GROWTH = (
    (re.compile(r"\b(?:mastered|gained the (?:power|ability|gift))\b"), 2),
    (re.compile(r"\blearn(?:ed|t) (?:how )?to\b(?! (?:expect|live with|hate|fear|regret|dread))"), 1),
)  # fmt: skip
_NO_GROWTH = re.compile(r"\b(?:lost|no longer|news|again)\b")


def _seed(kind: str, cue: str, certainty: float = 0.5) -> SeedRule:
    return SeedRule(kind, re.compile(cue, re.IGNORECASE), certainty)  # type: ignore[arg-type]


_SEEDS = (
    _seed("prophecy", r"\b(?:prophec(?:y|ies)|prophesied|foretold|foretell|it is written|was destined|is destined|doomed to|an? omen|ill omen|portent|augur(?:y|ed)|mark my words|the day will come|one day (?:you|he|she|they|we|it) (?:will|shall|would)|when the .{3,40} (?:shall|will) )", 0.6),
    _seed("prophecy", r"\b(?:do not|don[’']t|never) (?:ever )?(?:come|open|look back|turn back|go|answer|speak|trust|let)\b[^.!?]{0,40}\b(?:when|until|if|after|unless)\b", 0.55),
    _seed("mystery", r"\b(?:no one|nobody|none of them|no man)(?: had)? (?:ever )?(?:knew|know|known|could say|could tell|could explain|had seen|saw|remembered)\b", 0.55),
    _seed("mystery", r"\b(?:(?:remain(?:s|ed)|was|is|still) (?:a|an|the|its) (?:\w+ )?(?:mystery|riddle|enigma)|mystery of|inexplicabl[ey]|unexplained|for some reason|the strangest thing|(?:odd|strange|curious|queer|funny) thing (?:is|was))\b", 0.45),
    _seed("mystery", r"\b(?:never (?:found out|discovered|learned|spoke of it|explained|returned)|had not been seen|vanished without|whereabouts|what (?:had )?become of)\b", 0.5),
    _seed("mystery", r"\b(?:wondered|wondering) (?:who|what|why|how|whether|where)\b", 0.4),
    _seed("hint", r"\b(?:did not notice|didn[’']t notice|failed to notice|unnoticed|had stopped pretending|without knowing|little did|unaware that|unknown to)\b", 0.6),
    _seed("hint", r"\b(?:hesitated|avoided (?:his|her|their) (?:eyes|gaze)|changed the subject|turned pale|went pale|went white|said no more|broke off|strange look|odd look|knowing smile|as if (?:he|she|they) (?:knew|had known))\b", 0.45),
    _seed("hint", r"\b(?:that is what troubles|something was wrong|something is wrong|would (?:later )?regret|too late|the last time (?:he|she|they|anyone))\b", 0.5),
    _seed("setup", r"\b(?:hid(?:den)? (?:it|the|a|his|her|in|under|behind)|buried (?:it|the|under|beneath)|sealed|locked away|kept (?:it )?(?:secret|hidden)|entrusted|slipped (?:it|the) .{2,30} into)\b", 0.45),
    _seed("setup", r"\b(?:swore|vowed|promised|oath)\b[^.!?]{0,60}\b(?:revenge|return|never|avenge|one day)\b", 0.5),
    _seed("setup", r"\b(?:was cut for|was meant for|would need it|may need it|some day|someday|when the time comes)\b", 0.45),
)  # fmt: skip

_RELATIONS = (
    RelationRule(re.compile(rf"^[’']s (?:[a-z\-]+ ){{0,2}}?(?P<r>{w.KIN}),? $"), swap=True),
    RelationRule(re.compile(r"^(?:, | is | was | became |, who (?:is|was) )$"), re.compile(rf"^[’']s (?:[a-z\-]+ ){{0,2}}?(?P<r>{w.KIN})\b")),
    RelationRule(re.compile(rf"^(?:,| is| was| became|, who (?:is|was)),? (?:the |an? )?(?:[a-z\-]+ ){{0,2}}?(?P<r>{w.KIN}) (?:of|to) $")),
    RelationRule(re.compile(r"^ and (?:his |her )?$"), re.compile(rf"^ (?:were|are|had been|became) (?:[a-z\-]+ )?(?P<r>{w.PAIRS})\b")),
    RelationRule(re.compile(r"^ (?:had |has |finally |at last )?married $"), label="spouse"),
)  # fmt: skip

_MINE = (
    MineRule(
        re.compile(
            rf"\b[Mm]y (?:(?:elder|eldest|younger|youngest|older|late|twin|dead|own|dear) )?(?P<r>{w.KIN}),? $"
        ),
        re.compile(""),
    ),
    MineRule(re.compile(""), re.compile(rf" (?:is|was) my (?:[a-z]+ )?(?P<r>{w.KIN})\b(?![’'\-])")),
)
_HANDED = (
    HandedRule(re.compile(r"\b(?:gave|handed|passed|entrusted|returned|delivered|offered|presented) (?:the|a|an|his|her|their|it|them|one)\b[^.!?;,]{0,40} to $"), re.compile(r"(?=[ .,;!])(?![’']s)")),
    HandedRule(re.compile(r"\b(?:pressed|put|slipped|pushed|placed|laid|thrust) (?:the|a|an|his|her|their|it)\b[^.!?;,]{0,40} (?:into|in) $"), re.compile(r"[’']s? (?:[a-z]+ )?(?:hand|hands|palm|pocket|arms)\b")),
)  # fmt: skip
# Lines of verse: two at least, none as long as a sentence of prose.
_VERSE = r"(?P<v>(?:[^\"“”.!?;,:\n/]{8,60}[.!?;,/\n][ \n]*){1,8}(?:[^\"“”.!?;,:\n/*]{8,60}[.!?]?)?)"

GRAMMAR = Grammar(
    states=_STATES,
    growth=_GROWTH,
    no_growth=_NO_GROWTH,
    lead=re.compile(r" (?:had |has |have |was |is |himself |herself |then |also |soon |once |now |just |already |at last |[a-z]+ly ){0,3}"),
    denied=re.compile(r"\b(?:not|never|nearly|almost|hardly|scarcely|would|could|might|may|should|if)\b|n[’']t\b"),
    unsure=re.compile(r"\?"),
    clause_end=re.compile(r"[.!?;,:\"”\n]"),
    handed=_HANDED,
    relations=_RELATIONS,
    mine=_MINE,
    humble={},
    theirs=re.compile(rf"\b(?:his|her) (?:(?:elder|eldest|younger|youngest|older|late|twin|dead|lost) )?(?P<r>{w.KIN}),? $"),
    is_a=re.compile(
        r"^(?:,| (?:is|was|had been)) (?P<d>(?:an?|the) (?!same\b|first\b|next\b|other\b|time\b|best\b|most\b)"
        r"(?![^.!?;:\"“”]*\b(?:you|I|we|he|she|they)\b)(?:[a-z\-]+, (?=[a-z\-]+ [a-z]))?[^.!?;:,\"“”]{4,70})[.,;!]"
    ),
    apposed=re.compile(r"(?:^|[ ,“\"])(?:the|an?) (?P<d>(?:[a-z\-]+ ){0,2}(?:alchemist|captain|king|queen|prince|princess|wizard|witch|priest|priestess|knight|doctor|lawyer|detective|inspector|farmer|merchant|innkeeper|servant|maid|soldier|sailor|thief|smith|blacksmith|teacher|student|scientist|engineer|journalist|philosopher|poet|painter|astronomer|governor|general|sergeant|butcher|baker|miller|shepherd|hunter|orphan|widow)),? $"),
    seeds=_SEEDS,
    verse_cue=re.compile(r"\b(?:[Tt]he|[Aa]n?|[Tt]hat|[Tt]his|[Oo]ld) (?:[a-z]+ )?(?P<c>rhyme|prophecy|riddle|verse|verses|song|ballad|prediction)\b"),
    verse=re.compile(rf"[^.!?\"“”\n]{{0,60}}[:,]\s*[\"“*]+{_VERSE}[\"”*]"),
    this_verse=re.compile(r"[^.!?,]{0,10}\b(?:[Tt]hat|[Tt]his|[Ss]o (?:ran|went)|[Ii]t was)\b"),
    verse_before=re.compile(rf"[\"“*]{_VERSE}[\"”*]\s*$"),
    verse_line=re.compile(r"\b\B"),
    asked=re.compile(r"\b(?:[Ww]ho|[Ww]hat|[Ww]hy|[Ww]here|[Hh]ow|[Ww]hose)\b[^.!\"“”]*\?[\"”]$"),
    shunned=re.compile(r"\s*[^.!?\"“”\n]{0,40}(?:did not answer|didn[’']t answer|did not reply|said nothing|(?:made|gave) no answer|looked away|was silent|fell silent|[Nn]o one answered|[Nn]obody answered|changed the subject)\b"),
    payoff=re.compile(r"\b(?:so (?:it|that|this|he|she) was|at last|all along|turned out|as it turned out|it was (?:he|she|you|they) who|the truth|now (?:he|she|I|they|we) (?:knew|understood|saw)|(?:finally|at last)(?: \w+)? (?:understood|knew|saw|learned|realised|realized)|had come true|as (?:foretold|promised|the prophecy)|(?:that|this) (?:was|is) why|so that[’']s why|that[’']s why|the answer|revealed)\b", re.IGNORECASE),
    resolved=re.compile(r"\b(?:so (?:it|that|this) was|all along(?=[.,;:!?\"”]| that\b| who\b)|turned out|it was (?:he|she|you|they) who|now (?:he|she|I|they|we) (?:knew|understood)|(?:finally|at last)(?: \w+)? (?:understood|knew|learned|realised|realized)|had come true|as (?:foretold|the prophecy)|(?:that|this) (?:was|is) why|that[’']s why|the truth (?:was|is|at last|came))\b", re.IGNORECASE),
    laws=re.compile(
        r"(?P<s>\b(?:[Nn]o one|[Nn]obody|[Nn]one|[Nn]o (?!more|longer|doubt|time|other)[a-z]+(?: of the \w+)?) (?:may|shall|must|is (?:allowed|permitted)|was (?:allowed|permitted))\b[^.!?;:,]{3,}"
        r"|\b(?:[Ww]hoever|[Aa]ny(?:one| [a-z]+) who|[Aa]ll who) [^.!?;:]{3,60}? (?:must|shall)\b[^.!?;:]{2,}"
        r"|\b(?:[Ll]aw|[Rr]ule|[Dd]ecree|[Cc]ode|[Ss]tatute)s? (?:of [^,.!?;:]{3,24} )?(?:forbade|forbids|forbid|required|requires|demands|demanded|states|stated|says|said that)\b(?! (?:it|this|that|so)\b)[^.!?;:]{8,}"
        r"|\b[A-Z]?[a-z]+(?: [a-z]+){0,4} (?:is|was|are|were) (?:strictly )?forbidden\b[^.!?;:,]*"
        r"|\b[Ee]very [a-z]+(?: of the \w+)? (?:must|shall)\b[^.!?;:,]{3,}"
        r"|\b[Oo]nly (?:the|a|an|those) [^.!?;:,]{3,50} (?:can|may|could) [^.!?;:,]{3,})"
        r"|\b(?:[Bb]y|[Uu]nder|[Aa]ccording to) (?:the |an? )?(?:[\w’']+ ){0,3}(?:law|laws|rule|rules|decree|code|custom|statute)\b(?: of (?:the )?\w+)?,? (?P<t>[^.!?;:,]{8,})"
    ),
    not_laws=re.compile(r"\b(?:you|we|I|us|your|our|my)\b"),
    law_lead=re.compile(r"^(?:[Bb]ut|[Aa]nd|[Ss]o|[Bb]ecause) "),
    law_length=72,
    reach=20,
)  # fmt: skip
