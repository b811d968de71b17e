//! The binary form of a server's message.

use schemars::JsonSchema;
use serde::Serialize;

use super::ServerMessage;

/// The version of all messages, the first byte of each.
pub const VERSION: u8 = 1;

/// An array behind the JSON of a message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Slice {
    /// Its first byte, counted from the end of the JSON; a multiple of four.
    pub start: usize,
    /// Its length in bytes.
    pub length: usize,
}

/// A message with its arrays.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Envelope {
    arrays: Vec<u8>,
}

impl Envelope {
    /// Adds an array of bytes.
    pub fn bytes(&mut self, bytes: &[u8]) -> Slice {
        let start = self.arrays.len();
        self.arrays.extend(bytes);
        let padded = self.arrays.len().next_multiple_of(4);
        self.arrays.resize(padded, 0);
        Slice {
            start,
            length: bytes.len(),
        }
    }

    /// Adds an array of 32-bit floats.
    pub fn floats(&mut self, numbers: impl IntoIterator<Item = f32>) -> Slice {
        let bytes: Vec<u8> = numbers.into_iter().flat_map(f32::to_le_bytes).collect();
        self.bytes(&bytes)
    }

    /// The whole message.
    ///
    /// # Errors
    /// [`serde_json::Error`] if a value cannot be written as JSON.
    pub fn seal(self, message: &ServerMessage) -> Result<Vec<u8>, serde_json::Error> {
        let mut json = serde_json::to_vec(message)?;
        json.resize(json.len().next_multiple_of(4), b' ');
        let mut whole = Vec::with_capacity(8 + json.len() + self.arrays.len());
        whole.extend([VERSION, 0, 0, 0]);
        whole.extend((json.len() as u32).to_le_bytes());
        whole.extend(json);
        whole.extend(self.arrays);
        Ok(whole)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::{Problem, ServerMessage};
    use super::*;

    #[test]
    fn arrays_begin_at_multiples_of_four_behind_the_json() {
        let mut envelope = Envelope::default();
        let bytes = envelope.bytes(&[7, 8, 9]);
        let floats = envelope.floats([1.5]);
        assert_eq!((bytes.start, bytes.length), (0, 3));
        assert_eq!((floats.start, floats.length), (4, 4));
        let problem = Problem {
            message: "no".to_string(),
            key: String::new(),
        };
        let whole = envelope.seal(&ServerMessage::Problem(problem)).unwrap();
        let length = u32::from_le_bytes(whole[4..8].try_into().unwrap()) as usize;
        assert_eq!((whole[0], length % 4), (VERSION, 0));
        let json: serde_json::Value = serde_json::from_slice(&whole[8..8 + length]).unwrap();
        assert_eq!(
            (&json["type"], &json["message"]),
            (&"problem".into(), &"no".into())
        );
        let arrays = &whole[8 + length..];
        assert_eq!(arrays[..3], [7, 8, 9]);
        assert_eq!(f32::from_le_bytes(arrays[4..8].try_into().unwrap()), 1.5);
    }
}
