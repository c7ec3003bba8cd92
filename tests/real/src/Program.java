/* SPDX-License-Identifier: Apache-2.0 */
package record;

/** A program of a session, which is told what to do. */
interface Program {
    void order(String... words);
}
