// What `ordain --version` prints: the versions that matter to someone who keeps serialised programs, audit logs or a
// host in C.
#pragma once

#include <string>

namespace ordain::cli {

/// Several short lines without a line end at the end; the first is "ordain X.Y.Z".
std::string version_text();

}  // namespace ordain::cli
