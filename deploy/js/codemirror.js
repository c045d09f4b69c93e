/** What the pages use of CodeMirror 6: the source of arboris/static/js/vendor/codemirror.js. */
export { Annotation, ChangeSet, Compartment, EditorSelection, EditorState, Facet, MapMode, Prec, RangeSet, RangeSetBuilder, RangeValue, StateEffect, StateField, Text, Transaction } from '@codemirror/state';
export { Decoration, EditorView, MatchDecorator, ViewPlugin, WidgetType, drawSelection, hoverTooltip, keymap, placeholder, showTooltip, tooltips } from '@codemirror/view';
export { defaultKeymap, history, historyField, historyKeymap, insertNewline, isolateHistory, redo, standardKeymap, undo } from '@codemirror/commands';
export { RegExpCursor, SearchCursor, SearchQuery, closeSearchPanel, findNext, findPrevious, getSearchQuery, highlightSelectionMatches, openSearchPanel, replaceAll, replaceNext, search, setSearchQuery } from '@codemirror/search';
export { diff } from '@codemirror/merge';
