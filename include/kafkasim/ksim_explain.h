/* SPDX-License-Identifier: Apache-2.0
 *
 * The explanation of a run, from C: what `ksim explain` tells of a file, told of the simulator at hand.
 */
#ifndef KAFKASIM_KSIM_EXPLAIN_H
#define KAFKASIM_KSIM_EXPLAIN_H

#include <kafkasim/ksim_run.h>

KAFKA_BEGIN

/** What an explanation looks like. */
typedef enum ksim_explanation {
    KSIM_EXPLAIN_STORY,      /**< the numbered narrative, only what matters */
    KSIM_EXPLAIN_PROTOCOL,   /**< every step */
    KSIM_EXPLAIN_EVERYTHING, /**< and every sub-step: fetches, metadata */
    KSIM_EXPLAIN_HTML,       /**< one self-contained page */
    KSIM_EXPLAIN_JSON,       /**< what the page shows: docs/explanation-format.md */
    KSIM_EXPLAIN_SVG         /**< swim lanes, for slides */
} ksim_explanation;

/** Remembers what happens from now on, for ksim_explain_to_file(). Call it right after ksim_new() to have the whole run. Again:
 *  no effect. Costs memory for every event.
 *  returns  KAFKA_ERR_INVALID_ARGUMENT (NULL), KAFKA_ERR_WRONG_THREAD */
KAFKA_API kafka_error ksim_explain_begin(ksim *sim);

/** Writes the explanation of what happened since ksim_explain_begin(). The file is written whole or not at all. May be called
 *  any number of times; the run can go on.
 *
 *  title    stands on top of pages and drawings; NULL: the path
 *  returns  KAFKA_ERR_INVALID_ARGUMENT  NULL, an unknown kind, or ksim_explain_begin() was not called
 *           KAFKA_ERR_IO                the file cannot be written; ksim_error_detail() names it
 *  blocks   no
 *  cost     linear in the number of events */
KAFKA_API kafka_error ksim_explain_to_file(ksim *sim, const char *path, ksim_explanation kind, const char *title);

/** For test fixtures: when the environment variable KSIM_PAGES names a folder, remembers the run, and a failing ksim_check_*
 *  (so: a failing assertion of cmocka.h) leaves the page FOLDER/NAME.html behind and says so in its report. Without the variable
 *  it does nothing, so that it can stand in every fixture. Tests of ksim_test_over_seeds() have it, whichever assertion fails.
 *
 *  name     of the test; letters, digits, '_' and '-' are kept, others become '_'; copied
 *  returns  KAFKA_OK, or as ksim_explain_begin() */
KAFKA_API kafka_error ksim_explain_failures(ksim *sim, const char *name);

/** The test has failed, and no ksim_check_* knows of it: leaves the page that ksim_explain_failures() promised.
 *  returns  its path, a view until ksim_free(); NULL: none was promised, or it cannot be written (ksim_error_detail(), and said once
 *           on standard error)
 *  cost     linear in the number of events */
KAFKA_API const char *ksim_explain_failed(ksim *sim);

KAFKA_END

#endif
