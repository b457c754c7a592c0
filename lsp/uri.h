// uri.h converts between the URIs that clients use and the paths of files.
#pragma once

#include <string>
#include <string_view>

namespace ordain::lsp {

/// @returns the path that a `file:` URI names, without `.` and `..`; of any other URI the URI itself, under which no
/// file is found. "" if the URI is malformed.
std::string path_of_uri(std::string_view uri);

/// @returns a `file:` URI of a path; a URI of another kind stays as it is
std::string uri_of_path(std::string_view path);

}  // namespace ordain::lsp
