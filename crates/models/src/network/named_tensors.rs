//! The tensors of a network by name.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};

use super::Network;
use crate::ModelError;

impl Network {
    /// Every tensor with its name, such as `layers.0.weight` or `norms.1.running_var`, in a fixed order.
    pub fn named_tensors(&self) -> Vec<(String, TensorData)> {
        let mut reader = Reader::default();
        self.visit(&mut reader);
        reader.tensors
    }

    /// Replaces every tensor by the given one of the same name, converted to the network's precision.
    ///
    /// # Errors
    /// [`ModelError::MissingTensor`], [`ModelError::UnknownTensor`] or [`ModelError::TensorShape`] unless
    /// names and shapes are exactly those of [`named_tensors`](Self::named_tensors).
    pub fn load_named_tensors(
        self,
        tensors: Vec<(String, TensorData)>,
    ) -> Result<Self, ModelError> {
        let mut given: HashMap<_, _> = tensors.into_iter().collect();
        let own = self.named_tensors();
        for (name, tensor) in &own {
            let Some(data) = given.get(name) else {
                return Err(ModelError::MissingTensor { name: name.clone() });
            };
            if data.shape() != tensor.shape() {
                return Err(ModelError::TensorShape {
                    name: name.clone(),
                    shape: data.shape().to_vec(),
                    expected: tensor.shape().to_vec(),
                });
            }
        }
        let known = |name: &String| own.iter().any(|(known, _)| known == name);
        if let Some(name) = given.keys().filter(|name| !known(name)).min() {
            return Err(ModelError::UnknownTensor { name: name.clone() });
        }
        Ok(self.map(&mut Writer {
            path: Path::default(),
            given: &mut given,
        }))
    }
}

/// The path from the network to the module that is being visited, such as `layers.0.weight`.
#[derive(Default)]
struct Path(Vec<String>);

impl Path {
    fn enter(&mut self, name: &str) {
        self.0.push(name.to_owned());
    }

    fn exit(&mut self) {
        self.0.pop();
    }

    fn name(&self) -> String {
        self.0.join(".")
    }
}

/// Whether a module is part of the names of its tensors. Burn also visits the variants of enums, which are not.
fn is_named(container: &str) -> bool {
    !container.starts_with("Enum:")
}

/// Reads every tensor.
#[derive(Default)]
struct Reader {
    path: Path,
    tensors: Vec<(String, TensorData)>,
}

impl ModuleVisitor for Reader {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.tensors
            .push((self.path.name(), param.val().into_data()));
    }

    fn enter_module(&mut self, name: &str, container: &str) {
        if is_named(container) {
            self.path.enter(name);
        }
    }

    fn exit_module(&mut self, _: &str, container: &str) {
        if is_named(container) {
            self.path.exit();
        }
    }
}

/// Replaces tensors by the given ones of the same names.
struct Writer<'a> {
    path: Path,
    given: &'a mut HashMap<String, TensorData>,
}

impl ModuleMapper for Writer<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match self.given.remove(&self.path.name()) {
            Some(data) => param.map(|tensor| {
                Tensor::from_data(data, (&tensor.device(), tensor.dtype()))
                    .set_require_grad(tensor.is_require_grad())
            }),
            None => param,
        }
    }

    fn enter_module(&mut self, name: &str, container: &str) {
        if is_named(container) {
            self.path.enter(name);
        }
    }

    fn exit_module(&mut self, _: &str, container: &str) {
        if is_named(container) {
            self.path.exit();
        }
    }
}
