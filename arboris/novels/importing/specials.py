"""Chapters that have a name in the place of a number: prologues, interludes, afterwords."""

from __future__ import annotations

import re

# Each may be followed by a number: 番外二, Interlude III.
COUNTED = (
    "番外篇 番外 外传 外傳 附录 附錄 幕间 幕間 间章 間章 间话 間話 閑話 闲话 特典 插曲 "
    "小剧场 小劇場 特别篇 特別篇 外伝 외전 번외편 번외 막간"
).split()
_ZH = [
    *COUNTED,
    *(
        "序章 序言 序幕 序曲 序篇 序卷 自序 代序 再版序 序 楔子 引子 引言 前言 开篇 開篇 题记 "
        "題記 缘起 緣起 卷首语 卷首語 写在前面 寫在前面 写在最后 寫在最後 尾声 尾聲 尾章 终章 "
        "終章 最终章 最終章 最终话 最終話 最终回 最終回 终曲 終曲 大结局 大結局 结局 結局 后记 "
        "後記 后日谈 後日談 结语 結語 跋 作者的话 作者的話 作者有话说 作者有话要说 作者有話說 "
        "完结感言 完結感言 完本感言 上架感言 后话 後話 プロローグ エピローグ あとがき まえがき "
        "はじめに おわりに 프롤로그 에필로그 작가의말 후기 서장 종장 "
    ).split(),
]
_WESTERN = (
    "prologue|epilogue|preface|foreword|introduction|interlude|intermezzo|intermission|entr'acte|"
    "afterword|postscript|prelude|overture|coda|appendix|author['’]s notes?|translator['’]s note|"
    "acknowledge?ments|dedication|about the authors?|dramatis personae|cast of characters|glossary|"
    "bonus chapter|bonus scene|side story|extra chapter|final chapter|last chapter|"
    "prolog|epilog|vorwort|nachwort|zwischenspiel|danksagung|einleitung|"
    "prologue|épilogue|préface|avant-propos|postface|interlude|remerciements|"
    "prólogo|epílogo|prefacio|prefácio|posfácio|interludio|agradecimientos|prologo|epilogo|"
    "prefazione|postfazione|voorwoord|nawoord|proloog|epiloog|wstęp|posłowie|"
    "пролог|эпилог|предисловие|послесловие|вступление|интерлюдия|от автора|епілог|передмова|"
    "πρόλογος|επίλογος|sonsöz|önsöz"
)

ZH_SPECIAL = re.compile(f"(?P<marker>{'|'.join(sorted(_ZH, key=len, reverse=True))})(?P<rest>.*)")
WESTERN_SPECIAL = re.compile(rf"(?P<marker>{_WESTERN})(?![\w'’])(?P<rest>.*)", re.IGNORECASE)
_WORDS = [*_ZH, *_WESTERN.split("|")]
# What these begin with: a character, or two letters of an alphabet.
INITIALS = frozenset(word[: 2 if word[0] < "\u3000" else 1].lower() for word in _WORDS)
