//! Menus: the named choices that a configuration offers.
//!
//! An activation, a loss, an optimiser or a data set is chosen by its name. [`menu!`] makes the type of such a
//! choice from a table with one row for each entry. An entry is a struct in a file of its own: its fields are the
//! keys that a configuration may set, and it implements the trait of its menu. Names, schema, reading, writing and
//! dispatch all come from the table, so a new entry is one file and one row.
//!
//! [`Problem`] says what is wrong with one value of a configuration, whichever crate finds it. [`nearest_name`] finds
//! the valid name that was probably meant by a mistyped one.

mod choice;
mod nearest;
mod problem;
mod schema;
mod shared_keys;

pub use choice::{Example, Menu, ReadTable, TableOrName, is_without_parameters};
pub use nearest::nearest_name;
pub use problem::Problem;
pub use schema::{menu_schema, summary, table_schema};
pub use shared_keys::read_with_shared_keys;
