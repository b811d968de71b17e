//! Pictures of activations, losses, initialisers and normalisations, computed by the functions that train.

mod activations;
mod initializers;
mod losses;
mod normalizations;

use burn::tensor::{DType, Tensor, TensorData};
use emberlab_pictures::{PictureError, Svg};
use emberlab_training::{TrainingError, device, host};

/// A gallery that cannot be drawn.
#[derive(Debug, thiserror::Error)]
pub enum GalleryError {
    /// A picture cannot be drawn.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// The device failed.
    #[error(transparent)]
    Training(#[from] TrainingError),
}

/// A section of the gallery.
pub struct Section {
    /// The heading.
    pub title: &'static str,
    /// An explanation of the pictures.
    pub text: String,
    /// Its pictures, each with the path of its file, such as `activations/relu`.
    pub pictures: Vec<(String, Svg)>,
}

/// All sections: activations, losses, initialisers, normalisations.
///
/// # Errors
/// [`GalleryError`] if the device fails.
pub fn gallery() -> Result<Vec<Section>, GalleryError> {
    Ok(vec![
        activations::section()?,
        losses::section()?,
        initializers::section()?,
        normalizations::section()?,
    ])
}

/// The values of `function` at `inputs` and its derivative there, by autodiff in float64.
///
/// `function` takes and returns `[inputs, 1]`, number by number.
fn curve(
    inputs: &[f64],
    function: impl Fn(Tensor<2>) -> Tensor<2>,
) -> Result<(Vec<f64>, Vec<f64>), GalleryError> {
    let device = device::open(device::DEFAULT)
        .map_err(TrainingError::from)?
        .autodiff();
    let data = TensorData::new(inputs.to_vec(), [inputs.len(), 1]);
    let x = Tensor::<2>::from_data(data, (&device, DType::F64)).require_grad();
    let y = function(x.clone());
    let gradients = y.clone().sum().backward();
    let slopes = x
        .grad(&gradients)
        .map_or_else(|| Ok(vec![0.0; inputs.len()]), host)?;
    Ok((host(y.inner())?, slopes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use emberlab_menu::Menu as _;
    use emberlab_models::Activation;

    #[test]
    fn every_section_has_pictures_that_say_what_they_show() {
        let sections = gallery().expect("a gallery");
        assert_eq!(sections.len(), 4);
        let mut names = Vec::new();
        for section in &sections {
            assert!(!section.pictures.is_empty(), "{}", section.title);
            for (name, svg) in &section.pictures {
                assert!(svg.inline().contains("<desc>"), "{name}");
                assert!(!svg.inline().contains("NaN"), "{name}");
                names.push(name.as_str());
            }
        }
        for name in ["activations/all", "losses", "normalizations"] {
            assert!(names.contains(&name), "{name} of {names:?}");
        }
        let elementwise = Activation::examples()
            .into_iter()
            .filter(Activation::is_elementwise);
        for activation in elementwise {
            let name = format!("activations/{}", activation.name());
            assert!(names.contains(&name.as_str()), "{name} of {names:?}");
        }
    }
}
