// Writes the decisions of governed calls as JSON, in the form of ordain/decision_json.h.
#pragma once

#include <string>
#include <string_view>

#include "ordain/runtime.h"

namespace ordain::server {

/// Writes what the call came to before it ran: the rules' decision, and what the runtime made of it.
/// An approval that was used turns `require_approval` into `allow`, with `"approved": true`; a call
/// that waits has `approval_id`; a call that the runtime stopped has `cause`.
/// @param outcome how the call ended; nullptr while it runs
std::string before_json(std::string_view capability, const DetachedDecision& rules, const Outcome<Document>* outcome);

/// Writes what became of the output: the after decision. A tool that failed was decided by no rule.
std::string after_json(std::string_view capability, const DetachedDecision& rules, const Outcome<Document>& outcome);

/// @returns whether the decision replaces parts of the input or output
bool redacts(const DetachedDecision& decision);

}  // namespace ordain::server
