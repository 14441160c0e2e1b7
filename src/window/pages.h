/* The table of the window's pages: each path with the function that answers it. Window thread. */
#pragma once

#include "window/visit.h"

/* Answers the request. */
enum MHD_Result pages_answer(struct visit *visit);
