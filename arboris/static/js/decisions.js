/** What waits for the writer's word: contradictions, questions, and findings that are not sure enough. */

import { post } from './api.js';
import { h } from './dom.js';
import { evidence, own } from './facts.js';
import { label, t } from './i18n.js';

/** Cards of `GET …/bible/inbox`; `decide(asked)` sends a decision, `find(name)` is a character. */
export function questionCards(questions, find, decide) {
  return [
    ...questions.warnings.map((notice) => noticeCard(notice, warned(notice), decide)),
    ...questions.questions.map((notice) => noticeCard(notice, answers(notice, find), decide)),
    ...questions.waiting.map((finding) => waitingCard(finding, decide)),
  ];
}

const reject = ({ ref }) => ({ action: 'reject', ref });
const accept = ({ ref }) => ({ action: 'accept', ref });

/** A contradiction stays until its text is mended, unless it is none. */
const warned = (notice) => [...(notice.to_fix ? [] : [['to_fix', accept(notice)]]), ['no_contradiction', reject(notice)]];

function answers(notice, find) {
  if (notice.kind === 'suspected_payoff') return [['confirm', accept(notice)], ['not_it', reject(notice)]];
  if (notice.kind !== 'same_person') return [['dismiss', reject(notice)]];
  const [one, other] = [find(notice.others[0]), find(notice.name)];
  const merge = one && other && one.id !== other.id ? [['same', { action: 'merge', type: 'character', id: one.id, into: other.id }]] : [];
  return [...merge, ['different', reject(notice)]];
}

function noticeCard(notice, choices, decide) {
  const names = (notice.others ?? notice.people ?? []).join(t('name_separator'));
  return card(notice.ref, t(`notice_${notice.kind}`, { subject: notice.subject, names }), choices, decide,
    notice.to_fix ? own('p', { class: 'meta' }, t('to_fix')) : null,
    notice.earlier ? evidence(notice.earlier) : null,
    notice.later ? evidence(notice.later) : null);
}

function waitingCard(finding, decide) {
  const { name, character, source, target, relation, description } = finding.content;
  const subject = name ?? character ?? (source ? `${source} — ${relation} → ${target}` : '');
  return card(finding.ref, [label('type', finding.type), subject].filter(Boolean).join(t('colon')),
    [['accept', accept(finding)], ['reject', reject(finding)]], decide,
    description ? h('p', {}, description) : null, evidence(finding));
}

function card(ref, heading, choices, decide, ...rest) {
  const buttons = choices.map(([word, asked]) => own('button', { type: 'button', 'aria-describedby': `notice-${ref}`, on: { click: ({ currentTarget }) => decide(asked, currentTarget) } }, t(`decide_${word}`)));
  return h('article', { class: 'card fact', data: { key: `questions-${ref}` } },
    own('h3', { id: `notice-${ref}` }, heading), ...rest, own('div', { class: 'choices' }, buttons));
}

/** Sends a decision; answers the function that takes it back. */
export async function send(projectId, asked) {
  const url = `/api/projects/${projectId}/bible/decisions`;
  const { id } = await post(url, asked);
  return () => post(`${url}/${id}/undo`);
}
