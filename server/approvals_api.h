// Lists, shows and answers approvals over HTTP.
#pragma once

#include <cstdint>
#include <string_view>

#include "ordain/approvals.h"
#include "server/access.h"
#include "server/http.h"

namespace ordain::server {

/// {"approvals": [...]}, oldest first. The query may have `state`: one of the states, or "all", which
/// is the default.
HttpResponse list_approvals(const ApprovalStore& store, std::string_view query, int64_t now_ns);

HttpResponse show_approval(const ApprovalStore& store, std::string_view id, int64_t now_ns);

/// Takes {"decision": "approve"|"reject", "binding"?, "group"?, "note"?} from a caller with an
/// approver's token, whose name is recorded. `id` must be whole; if it is empty, the body has it as
/// `id`. With `binding`, the request must be the one that the approver was shown. Approving needs it.
HttpResponse answer_approval(ApprovalStore& store, std::string_view id, std::string_view body, const Caller& caller,
                             int64_t now_ns);

}  // namespace ordain::server
