"""The dead who act."""

from __future__ import annotations

import re

from arboris.bible.decisions.rules import Rules
from arboris.bible.fold.continuity.notes import note
from arboris.bible.fold.people import People
from arboris.bible.storage.memory import MemoryEntryStore
from arboris.bible.types.entries import Person, digest
from arboris.bible.types.findings import Appearance, Evidence, StateChange
from arboris.bible.types.names import key
from arboris.bible.types.placed_finding import PlacedFinding, fact_of

_DEATH = re.compile(
    "死亡|身亡|死去(?!活)|去世|过世|离世|逝世|丧命|丧生|殒命|陨落|被杀|遇害|阵亡|毙命|断了?气|咽了?气"
    "|气绝|牺牲|坐化|圆寂|驾崩|仙逝|自尽|已死|死了(?!心|这条)|死(?:于|在|掉)"
    "|没气了|穿心|的?(?:尸体|尸首|尸身|遗体|遗骨|骸骨)|投[江河湖井]|悬梁|自刎|吊死|被?射杀|(?:身子|身体|尸身)[^，。]{0,3}凉了"
    "|[病战惨枉冤淹溺烧毒砍杀打刺饿冻摔压砸害射炸掐暴处]死(?!不)|没有?了(?:气息|呼吸|心跳)"
    r"|\b(?:dies|died|dead|drowned|hanged|killed|slain|murdered|perished|passed away|deceased"
    r"|(?:body|corpse) of|[’']s (?:body|corpse)|bled to death|hanging (?:from|in|by)|lifeless"
    r"|found (?:[a-z]+ ){0,8}with (?:a|the|his|her) (?:cord|rope|throat|knife|dagger|bullet|skull)"
    r"|breathed (?:his|her) last|was no more|strangled|beheaded|executed)\b",
    re.IGNORECASE,
)
_NOT_DEATH = re.compile(
    "假死|诈死|装死|未死|没死|没有死|并未|险些|差点|几乎|濒死|垂死|生死未卜|不知生死|死里逃生|以为"
    "|未遂|[若怕想找寻送该]死|要死|(?:如果|要是|假如|倘若|若是?|快要|就要)[^，。]{0,8}死|不死"
    "|[吓累笑气急烦疼热冷忙缠恨爱羞逼困乐]死|除非|万一|一旦|假使|纵使|即便|哪怕|莫若"
    r"|\b(?:nearly|almost|not|never|feign\w*|faked?|presumed|believed|thought|left for dead"
    r"|dead (?:tired|drunk|set|silence|of night|end)|if|half[- ]dead|would|might)\b",
    re.IGNORECASE,
)
_KILLED = re.compile("杀了|处决|斩首")
_HEARSAY = re.compile(
    "听说|听得|听闻|据说|传闻|传言|谣传|谎称|谎言|哄骗|骗|冒充|除非|万一|一旦|假使|如果|要是|倘"
    r"|\b(?:rumou?r\w*|heard (?:that|of)|said to be|supposed\w*|they say|lied|pretended)\b",
    re.IGNORECASE,
)
_REVIVAL = re.compile(
    "复活|重生|还魂|生还|没死|未死|活着|假死|死而复生"
    r"|\b(?:alive|survived|resurrected|returned from the dead|revived)\b",
    re.IGNORECASE,
)
_ACTS = (
    "(?:说|(?<![一知])道|问|答|喊|叫|笑|哭|点头|摇头|走|站|坐|抬|转身|推|拿|伸手|低声|开口|看)"
    r"|\s+(?:says?|said|asks?|asked|replied|answered|walked|smiled|nodded|laughed|stood|turned"
    r"|shouted|whispered|looked|took|sat|opened)\b"
)
_PAST = re.compile(
    "想起|回忆|记得|当年|生前|梦|遗|曾经|那时|往事|[灵魂鬼][位堂前魂魄影]|残魂|鬼|若是|如果|画像|墓"
    "|坟|尸|葬|棺|骨灰|仿佛|好像|幻觉|照片"
    r"|\b(?:remember\w*|recall\w*|dream\w*|late|memory|memories|ghost|once|years ago|grave|portrait"
    r"|body|corpse|buried|burial|funeral|coffin|ashes|photograph|as if|as though"
    r"|had (?:said|asked|told)|used to|would have)\b",
    re.IGNORECASE,
)
_OF_THE_LIVING = ("ability", "location", "possession", "knowledge")


def look(
    store: MemoryEntryStore,
    rules: Rules,
    people: People,
    placed: PlacedFinding,
    finding: Appearance | StateChange,
) -> None:
    """Note that somebody acts who died in an earlier chapter; from then on they live."""
    name = finding.character if isinstance(finding, StateChange) else finding.name
    person = people.find(name)
    if person is None or person.death is None or person.death.chapter_id == placed.chapter_id:
        return
    act = _act(person, finding)
    if act is None:
        return
    ref = digest("dead_acts", placed.chapter_id, key(name), key(act.quote))
    note(store, rules, placed, "dead_acts", person.name, ref, person.death, later=act)
    store.touch(person)
    person.death = None


def _act(person: Person, finding: Appearance | StateChange) -> Evidence | None:
    """The passage in which the person does something that only the living do."""
    if isinstance(finding, StateChange):
        said = finding.description
        told = _DEATH.search(said) or _REVIVAL.search(said) or _PAST.search(said)
        living = finding.kind in _OF_THE_LIVING and not told and not finding.basic
        return finding.evidence if living and not _PAST.search(finding.evidence.quote) else None
    for one in finding.observed:
        if one.aspect == "acts" and not _PAST.search(one.evidence.quote):
            return one.evidence
    quote = finding.evidence.quote
    names = sorted({finding.name, person.name, *person.aliases}, key=len, reverse=True)
    called = "|".join(map(re.escape, names))
    acts = re.search(
        rf"(?:{called})(?!一道|一起|一同|一样)(?:[^。！？，,.!?；;的之]{{0,3}})?(?:{_ACTS})", quote
    )
    return finding.evidence if acts and not _PAST.search(quote) and not finding.basic else None


def keep(
    store: MemoryEntryStore, people: People, placed: PlacedFinding, finding: StateChange
) -> None:
    """Remember who died, and who turned out to be alive."""
    if finding.kind != "condition":
        return
    person = people.find(finding.character)
    if person is None:
        return
    said = finding.description
    if _REVIVAL.search(said) and person.death is not None:
        store.touch(person)
        person.death = None
    elif person.death is None and _died(said, finding):
        store.touch(person)
        person.death = fact_of(placed)


def _died(said: str, finding: StateChange) -> bool:
    """Whether it says so; of what patterns found also the sentence around must not doubt it."""
    if _NOT_DEATH.search(said):
        return False
    if not finding.basic:
        return _DEATH.search(said) is not None
    killed = _DEATH.search(said) or _KILLED.search(said)
    return killed is not None and _HEARSAY.search(finding.evidence.quote) is None
