#pragma once
#include <libxml/xmlversion.h>
// libxml2's own headers would bring in the system's ICU, whose types clash with those of Foundation's.
#undef LIBXML_ICU_ENABLED
#include <libxml/parser.h>
#include <libxml/xmlreader.h>
#include <libxml/HTMLparser.h>
#include <libxml/tree.h>
