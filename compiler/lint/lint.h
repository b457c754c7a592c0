// lint finds what is valid but hardly meant. Each file of this folder holds one family of checks, and
// docs/diagnostics.md describes every finding. All passes are linear in the size of the policies.
#pragma once

#include <string_view>
#include <vector>

#include "compiler/check/expression/typed.h"
#include "compiler/parse/syntax.h"
#include "ordain/diagnostic.h"

namespace ordain {

/// Warns of what is certainly a mistake: for every compilation. The set is folded and has no errors.
void warn_mistakes(Diagnostics& diagnostics, const std::vector<syntax::File>& files, const typed::PolicySet& set);

/// Warns of bad style and of smells: for `ordain lint`.
void warn_style(Diagnostics& diagnostics, const std::vector<syntax::File>& files, const typed::PolicySet& set);

}  // namespace ordain

namespace ordain::lint {

/// Whether only `ordain lint` reports the code. Some of these are reported by analysis/lint.cc.
bool is_style(std::string_view code);

// --- conditions.cc
/// Conditions, and parts of them, that are never true or never false.
void warn_conditions(Diagnostics& diagnostics, const typed::PolicySet& set);

// --- overlaps.cc
/// Rules that other rules always precede or override.
void warn_shadowed(Diagnostics& diagnostics, const typed::PolicySet& set);

// --- repeats.cc
/// Rules that say what another rule says already.
void warn_repeated(Diagnostics& diagnostics, const typed::PolicySet& set);

// --- approvals.cc
/// Approvals that nobody can give.
void warn_unanswerable(Diagnostics& diagnostics, const typed::PolicySet& set);
/// Approvals that are hardly open long enough for a human.
void warn_hasty(Diagnostics& diagnostics, const typed::PolicySet& set);

// --- text_tests.cc
/// Tests of the agent's texts that are easily evaded, or accept more than they seem to.
void warn_text_tests(Diagnostics& diagnostics, const typed::PolicySet& set);

// --- names.cc
/// Capabilities whose names look the same.
void warn_confusable_names(Diagnostics& diagnostics, const std::vector<syntax::File>& files);
/// Capabilities whose names differ only in case and separators.
void warn_similar_names(Diagnostics& diagnostics, const std::vector<syntax::File>& files);

// --- characters.cc
/// Characters that let text look different from what it says.
void warn_bidi_controls(Diagnostics& diagnostics);
void warn_invisible_characters(Diagnostics& diagnostics);

// --- breadth.cc
/// Targets and types that are wider than they need to be, and declarations without a use.
void warn_broad_allows(Diagnostics& diagnostics, const std::vector<syntax::File>& files);
void warn_untyped_fields(Diagnostics& diagnostics, const std::vector<syntax::File>& files);
void warn_unused(Diagnostics& diagnostics, const std::vector<syntax::File>& files, const typed::PolicySet& set);

// --- clock.cc
/// Tests whose outcome depends on when they run.
void warn_clock_in_tests(Diagnostics& diagnostics, const typed::PolicySet& set);

}  // namespace ordain::lint
