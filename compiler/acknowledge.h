// acknowledge.h lets authors accept warnings: a comment before a rule, with the code and a reason.
#pragma once

#include "ordain/diagnostic.h"

namespace ordain {

/// Removes the warnings that comments such as `// ordain: allow(CODE) REASON` accept. A comment is
/// about the statement after it: a rule, a `let`, or the head of a policy or capability. Comments
/// without a reason, and comments that accept nothing, become warnings themselves. Errors are never
/// removed; while there are any, comments that accept nothing are not reported, because some
/// warnings are not known yet. Without `style`, neither are comments that accept a finding of style.
void acknowledge(Diagnostics& diagnostics, bool style);

}  // namespace ordain
